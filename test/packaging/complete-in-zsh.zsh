# SPDX-License-Identifier: Apache-2.0
# Types a line into an interactive zsh, presses tab, and prints what the line is then.
#
# Usage: complete-in-zsh.zsh FOLDER LINE        FOLDER holds _vmcall

zmodload zsh/zpty
folder=$1 line=$2
result=$(mktemp)
ready=$(mktemp)
rm $ready
zpty shell zsh -f -i
zpty -w shell "PS1= RPS1=; fpath=($folder \$fpath); autoload -U compinit && compinit -u -D"
zpty -w shell "tell() { print -r -- \"\$BUFFER|\" >$result }; zle -N tell; bindkey '^X^T' tell; bindkey '^I' complete-word"
zpty -w shell ": >$ready"
# What it prints is read, or it stops when the terminal is full.
repeat 300; do
	[[ -e $ready ]] && break
	zpty -r -t shell && sleep 0.1 || sleep 0.1
done >/dev/null
zpty -w -n shell "$line"$'\t\x18\x14'
repeat 300; do
	[[ -s $result ]] && break
	zpty -r -t shell
	sleep 0.1
done >/dev/null
zpty -d shell
text=$(<$result)
rm -f $result $ready
print -r -- "${text%|}"
