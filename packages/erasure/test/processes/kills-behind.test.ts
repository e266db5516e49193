// Killed at each place behind the one where the keys are gone.
import { killAtEach } from './every-kill.ts'

killAtEach('behind')
