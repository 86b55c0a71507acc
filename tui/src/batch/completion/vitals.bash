# Completions of vitals for bash. `vitals completion bash` prints this.

_vitals() {
    local line=${COMP_LINE:0:COMP_POINT} program=${1/#\~/$HOME} words=() count=0 i piece
    line=${line#*"${COMP_WORDS[0]}"}
    # bash splits words at COMP_WORDBREAKS (= : @), here they are whole again, without their quotes.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then
            piece=${line#"${line%%[![:space:]]*}"}
        fi
        if [[ $line == [[:space:]]* || $count -eq 0 ]]; then
            words[count++]=$piece
        else
            words[count - 1]+=$piece
        fi
        line=${line#*"$piece"}
    done
    for ((i = 0; i < count; i++)); do
        words[i]=${words[i]//[\"\'\\]/}
    done

    # bash replaces only what stands behind the last of them, and an @ before it.
    local word=${words[count - 1]} breaks=${COMP_WORDBREAKS//[[:space:]\"\']/} before
    before=${word%"${word##*["$breaks"]}"}
    before=${before%@}

    local out value
    out=$("$program" __complete "${words[@]}" </dev/null 2>/dev/null) || return
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        if [[ $value != "${out##*$'\n'}" ]]; then
            printf -v value %q "${value#"$before"}"
            COMPREPLY+=("$value")
        fi
    done <<<"$out"
    # :0 stands for a file.
    if [[ ${out##*$'\n'} == :0 ]]; then
        compopt -o default 2>/dev/null
    fi
}

if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
    complete -o nosort -F _vitals vitals kubectl-vitals
else
    complete -F _vitals vitals kubectl-vitals
fi
