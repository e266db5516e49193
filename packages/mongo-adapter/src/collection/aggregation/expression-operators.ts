/** The operators of expressions that look at nothing but their operands: what is not here may see the whole document, and is refused. */

const names = (text: string): readonly string[] => text.split(' ')

export const EXPRESSION_OPERATORS: readonly string[] = [
  ...names('$abs $add $ceil $divide $exp $floor $ln $log $log10 $mod $multiply $pow $round $sqrt $subtract $trunc'),
  ...names('$bitAnd $bitNot $bitOr $bitXor'),
  ...names('$and $not $or $cmp $eq $gt $gte $lt $lte $ne $cond $ifNull $switch'),
  ...names('$arrayElemAt $arrayToObject $concatArrays $filter $firstN $in $indexOfArray $isArray $lastN $map $maxN $minN $objectToArray'),
  ...names('$range $reduce $reverseArray $size $slice $sortArray $zip $first $last'),
  ...names('$allElementsTrue $anyElementTrue $setDifference $setEquals $setIntersection $setIsSubset $setUnion'),
  ...names('$dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts $dateToString $dateTrunc'),
  ...names('$dayOfMonth $dayOfWeek $dayOfYear $hour $isoDayOfWeek $isoWeek $isoWeekYear $millisecond $minute $month $second $week $year'),
  ...names('$concat $indexOfBytes $indexOfCP $ltrim $regexFind $regexFindAll $regexMatch $replaceAll $replaceOne $rtrim $split'),
  ...names('$strLenBytes $strLenCP $strcasecmp $substrBytes $substrCP $toLower $toUpper $trim'),
  ...names('$convert $isNumber $toBool $toDate $toDecimal $toDouble $toInt $toLong $toObjectId $toString $type'),
  ...names('$avg $max $min $stdDevPop $stdDevSamp $sum $mergeObjects $let $literal $binarySize $bsonSize'),
  ...names('$acos $acosh $asin $asinh $atan $atan2 $atanh $cos $cosh $degreesToRadians $radiansToDegrees $sin $sinh $tan $tanh'),
]

export const KNOWN: ReadonlySet<string> = new Set(EXPRESSION_OPERATORS)
