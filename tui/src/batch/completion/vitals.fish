# Completions of vitals for fish. `vitals completion fish` prints this.

function __vitals_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l lines ($words[1] __complete $words[2..] "$word" </dev/null 2>/dev/null)
    # :0 stands for a file.
    if test "$lines[-1]" = ":0"
        set -l flag (string match --regex '^--[^=]*=' -- "$word")
        printf "$flag%s\n" (__fish_complete_path (string replace -- "$flag" '' "$word"))
    else
        printf '%s\n' $lines[1..-2]
    end
end

for program in vitals kubectl-vitals
    complete --command $program --no-files --keep-order --arguments '(__vitals_complete)'
end
