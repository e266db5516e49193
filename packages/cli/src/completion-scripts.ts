/** What makes a shell complete the command. What is on the line is handed over as it stands: it is never evaluated. */

/** The shells that there is a script for. */
export type Shell = 'bash' | 'zsh' | 'fish'

// What comes after a redirection is a file: readline completes that itself.
const BASH = `# bash completion for strongroom
_strongroom() {
    COMPREPLY=()
    local current="\${COMP_WORDS[COMP_CWORD]}" word line
    local -a given=() lines=()
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
        case $word in
            *['<>']*) return ;;
            '=') ;;
            *) given+=("$word") ;;
        esac
    done
    if [[ $current == '=' ]]; then
        current=''
        given+=('')
    fi
    mapfile -t lines < <(strongroom complete -- "\${given[@]}" 2> /dev/null)
    for line in "\${lines[@]}"; do
        [[ $line =~ ^:[0-9]+$ ]] && continue
        word=\${line%%$'\\t'*}
        [[ $word == "$current"* ]] && COMPREPLY+=("$word")
    done
}
complete -o default -F _strongroom strongroom
`

const ZSH = `#compdef strongroom
# zsh completion for strongroom
_strongroom() {
    local line value
    local -a lines found
    lines=("\${(@f)$(strongroom complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
    for line in "\${(@)lines}"; do
        [[ -z $line || $line =~ '^:[0-9]+$' ]] && continue
        value=\${line%%$'\\t'*}
        if [[ $line == *$'\\t'* ]]; then
            found+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
        else
            found+=("\${value//:/\\\\:}")
        fi
    done
    if (( $#found )); then
        _describe strongroom found
    else
        _files
    fi
}
if [[ $funcstack[1] == _strongroom ]]; then
    _strongroom "$@"
else
    compdef _strongroom strongroom
fi
`

const FISH = `# fish completion for strongroom
function __strongroom_complete
    set -l given (commandline -opc)
    set -l current (commandline -ct)
    set -l found (strongroom complete -- $given[2..-1] "$current" 2> /dev/null | string match -rv '^:[0-9]+$')
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c strongroom -e
complete -c strongroom -f -a '(__strongroom_complete)'
`

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
