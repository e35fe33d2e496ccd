#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The manual page, and what "make install" puts where.
. "$(dirname "$0")/../lib/check.sh"

"$TARDY" man >"$TMP/tardy.8"
is "the manual page: status" $? 0
warnings=$(groff -man -ww -Tutf8 "$TMP/tardy.8" 2>&1 >"$TMP/page")
is "troff has nothing to say of it" $? 0
is "... and no warnings" "$warnings" ''
page=$(groff -man -Tascii -P-cbou "$TMP/tardy.8")
for command in $("$TARDY" help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\).*/\1/p'); do
	like "it has the command $command" "$page" "^ +$command"
done
n=0
for option in $("$TARDY" help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
	n=$((n + 1))
	[[ $page == *"$option"* ]] || not_there="${not_there:-} $option"
done
between "options of the help" "$n" 25 60
is "those not in the page" "${not_there:-}" ''
for cause in queue loop runq throttle unknown; do
	like "it explains the cause $cause" "$page" "^ +[a-z?] $cause"
done

# -o all: what is built is used as it is, as other tests run beside this one
make_it() {
	env -u MAKEFLAGS -u MAKELEVEL make -s -o all -C "$TARDY_ROOT" BUILD="$TARDY_BUILD" \
		DESTDIR="$TMP/root" PREFIX=/usr "$@"
}
check "make install" make_it install
is "the page is there" "$(cat "$TMP/root/usr/share/man/man8/tardy.8")" "$(cat "$TMP/tardy.8")"
is "completion is there, for three shells" "$(cd "$TMP/root/usr/share" && find . -name '*tardy*' -type f |
	grep -v man8 | sort | tr '\n' ' ')" \
	'./bash-completion/completions/tardy ./fish/vendor_completions.d/tardy.fish ./zsh/site-functions/_tardy '
# shellcheck disable=SC2016 # for the inner shell
completed=$(bash -c '. "$1"; COMP_WORDS=(tardy rep); COMP_CWORD=1; _tardy; echo "${COMPREPLY[@]}"' - \
	"$TMP/root/usr/share/bash-completion/completions/tardy")
is "and completes" "$completed" 'report replay'
is "what was installed runs" "$("$TMP/root/usr/sbin/tardy" version)" "$("$TARDY" version)"
check "make uninstall" make_it uninstall
is "nothing is left" "$(find "$TMP/root" -type f)" ''
done_testing
