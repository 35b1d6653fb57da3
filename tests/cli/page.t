#!/bin/sh
# The conformance page and JUnit XML of four scenarios and of a matrix with every outcome:
# the page is self-contained and the same bytes each time, works in a browser at two widths;
# the XML has the form that build servers read, and what the matrix calls a problem fails.
. tests/cli/lib.sh
plan 22
case $SVCLAB in /*) ;; *) SVCLAB=$PWD/$SVCLAB ;; esac
export SVCLAB PLACES=sim SVCLAB_CACHE="$folder/cache"
unset REQUIRE FULL
out3=$folder/results
cat >"$folder/words.lua" <<'LUA'
scenario { name = "words", nodes = { "a" }, no_dns = true, dataplanes = { "ipvs" } }
it("prints words", function() expect_output("words.txt", "one\ntwo\n") end)
LUA
"$SVCLAB" run --update "$folder/words.lua" >/dev/null
tools/cells plan "$out3" scenarios/captures/nodeport.lua scenarios/ipvs/text.lua \
	scenarios/affinity/timeout.lua "$folder/words.lua" >/dev/null
while read -r job; do "$job" >/dev/null; done <"$out3/jobs.list"
run tools/matrix "$out3"
is "four scenarios have a matrix without a problem" 0 "$code"
like "cells are counted for each behaviour and mode" '^AFF-02 +ipt +1/1 nft +1/1 ipvs +- user +1/1' "$out"
run tools/page "$out3"
is "the page is written" "0 " "$code $err"
page=$(cat "$out3.html")
cp "$out3.html" "$folder/first.html"
tools/page "$out3" >/dev/null
cmp -s "$folder/first.html" "$out3.html"
result $? "the same results give the same bytes"
is "nothing is fetched" "" "$(grep -oE '(src|href)="[^"]*"|url\([^)]*\)|@import|fetch\(|https?://[^" ]*' "$out3.html" | grep -v '^href="data:,"$')"

# What a cell opens, unpacked: JSON of scenario, tests, judges.
perl -MMIME::Base64 -MCompress::Zlib -0777 -ne 'print uncompress(decode_base64($1)) if m{id="data">([^<]*)<}' "$out3.html" >"$folder/data.json"
perl -0777 -ne 'print $1 if m{id="index">(.*?)</script>}s' "$out3.html" | sed 's#<\\/#</#g' >"$folder/index.json"
is "a cell has the scenario as it is" "$(cat scenarios/captures/nodeport.lua)" "$(jq -r '.["scenarios/captures/nodeport.lua"].source' "$folder/data.json")"
like "a cell has the trace of its packet" 'KUBE-NODEPORTS' "$(jq -r '.["scenarios/captures/nodeport.lua"].story.iptables[].trace' "$folder/data.json")"
like "a cell has the picture of its packet" '^<svg .*viewBox' "$(jq -r '[.["scenarios/captures/nodeport.lua"].story.nftables[].picture][0]' "$folder/data.json" | head -n 1)"
judges() { jq -r --arg f "$1" --arg c "$2" '.rows[] | select(.f == $f) | .c[$c].j[]' "$folder/index.json"; }
like "a capture of real Linux is named as a judge, with its kernel" '^capture of real Linux, packet by packet: nodeport-iptables-netns \(Linux [0-9]' \
	"$(judges scenarios/captures/nodeport.lua iptables@sim)"
like "a golden output is named as a judge" '^golden output: tests/golden/words\.txt$' "$(judges "$folder/words.lua" ipvs@sim)"

if command -v chromium >/dev/null 2>&1; then
	{ sed 's#</body>##; s#</html>##' "$out3.html"; cat tests/cli/page_probe.html; } >"$folder/probe.html"
	for width in 1280 400; do
		printf '<iframe src="probe.html" width="%s" height="900" style="border:0"></iframe><p id="p"></p><script>onmessage = e => p.textContent = e.data</script>' $width >"$folder/outer.html"
		said=$(HOME=$folder timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr \
			--window-size=1400,1000 --virtual-time-budget=20000 --dump-dom "file://$folder/outer.html" 2>"$folder/log" |
			sed -n 's/.*<p id="p">\([^<]*\)<.*/\1/p')
		like "at $width pixels cells open, filters work, nothing is clipped" \
			"^$width: rows 4, trace true, source true, judges true, picture true, topic 1, outcome 3, find 0, behaviours [0-9]+; bad: nothing" "$said"
		is "at $width pixels the console has no error" "" "$(grep CONSOLE "$folder/log")"
	done
else
	for width in 1280 400; do
		skip "at $width pixels cells open, filters work, nothing is clipped" "chromium is not installed"
		skip "at $width pixels the console has no error" "chromium is not installed"
	done
fi

# Every outcome, in a tree of its own.
mkdir -p "$folder/odd/sim"
printf 'sim\ts/%s.lua\t*\trun\t-\n' fails passes skips none >"$folder/odd/cells.tsv"
cat >"$folder/odd/sim/s_fails.lua.tap" <<'TAP'
TAP version 13
# scenario: fails (s/fails.lua) refs: A-1
not ok 1 - iptables: is <right> & "good"
# s/fails.lua:3: eq
#   expected: BYTES
ok 2 - nftables: is right
1..2
TAP
LC_ALL=C sed -i "s/BYTES/$(printf '\377\303\244')/" "$folder/odd/sim/s_fails.lua.tap"
printf 'TAP version 13\n# scenario: p (s/passes.lua) refs: A-1\nok 1 - iptables: comes # TODO later\nnot ok 2 - nftables: comes # TODO later\n1..2\n' >"$folder/odd/sim/s_passes.lua.tap"
printf 'TAP version 13\n# scenario: s (s/skips.lua) refs: A-2\nok 1 - iptables: x # SKIP no such thing\n1..1\n' >"$folder/odd/sim/s_skips.lua.tap"
run tools/matrix "$folder/odd"
is "a passed TODO, a file that is all skipped and a cell without a result are problems" "1 3" \
	"$code $(echo "$out" | grep -cE '^problem: s/(passes.lua: a TODO passed|skips.lua: skipped everywhere|none.lua: no result)')"
mkdir "$folder/odd/netns"
printf 'TAP version 13\n# scenario: fails (s/fails.lua) refs: A-1\nok 1 - nftables on netns: is right\n1..1\n' >"$folder/odd/netns/s_fails.lua.tap"
tools/matrix "$folder/odd" >/dev/null
tools/page "$folder/odd" >/dev/null
perl -0777 -ne 'print $1 if m{id="index">(.*?)</script>}s' "$folder/odd.html" | sed 's#<\\/#</#g' >"$folder/index.json"
like "a cell of the simulator says where the real kernel agrees" '^the same scenario passed on the real kernel of this machine' \
	"$(judges s/fails.lua nftables@sim)"
like "a cell on real Linux names the kernel as its judge" '^the real kernel of this machine, in network namespaces$' \
	"$(judges s/fails.lua nftables@netns)"
tools/junit "$folder/odd" "$folder/odd.xml"
xml=$(cat "$folder/odd.xml")
like "a failed expectation is a failure with its text" '<failure message="s/fails.lua:3: eq" type="expectation">s/fails.lua:3: eq&#10;' "$xml"
like "bytes that are not UTF-8 do not break it" 'expected: .*ä&#10;' "$xml"
like "text is escaped" 'name="is &lt;right&gt; &amp; &quot;good&quot;"' "$xml"
like "every problem of the matrix is a failure" '<testsuite name="matrix" tests="([0-9]+)" failures="\1"' "$xml"
# As the schema that build servers use has it: testsuites, testsuite, testcase with at most
# one failure, error or skipped; names and counts that are right.
form()
{
	perl -0777 -ne '
		s/<\?xml[^>]*\?>\s*//; my (@stack, $bad);
		my %in = (testsuites => "", testsuite => "testsuites", testcase => "testsuite", failure => "testcase", skipped => "testcase");
		my %need = (testsuites => "tests failures errors skipped", testsuite => "name tests failures errors skipped", testcase => "classname name", failure => "message type", skipped => "message");
		while (m{<(/?)(\w+)((?:\s+\w+="[^"<]*")*)\s*(/?)>|([^<]+)}g) {
			my ($close, $tag, $attributes, $empty, $text) = ($1, $2, $3, $4, $5);
			next if defined $text;
			if ($close) { my $s = pop @stack; $bad .= " $tag closes $s->[0]" if $s->[0] ne $tag;
				$bad .= " counts of $s->[1]{name}" if $tag eq "testsuite" && join(" ", @{$s->[1]}{qw(tests failures skipped)}) ne join(" ", map { $s->[2]{$_} // 0 } qw(testcase failure skipped)); next }
			my %a = $attributes =~ /(\w+)="([^"]*)"/g; my $over = @stack ? $stack[-1][0] : "";
			$bad .= " $tag in $over" if !defined $in{$tag} || $in{$tag} ne $over;
			$bad .= " $tag without $_" for grep { !defined $a{$_} } split / /, $need{$tag} // "";
			for my $s (@stack) { $s->[2]{$tag}++ }
			push @stack, [$tag, \%a, {}] unless $empty;
		}
		print $bad // "", @stack ? " open" : "";' "$1"
}
is "the XML has the form of JUnit's schema, and its counts are right" "" "$(form "$folder/odd.xml")"
