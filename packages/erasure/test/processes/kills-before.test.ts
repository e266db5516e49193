// Killed at each place up to the one where the keys are gone.
import { killAtEach } from './every-kill.ts'

killAtEach('before')
