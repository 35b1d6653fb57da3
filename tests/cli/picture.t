#!/bin/sh
# svclab picture packet: an SVG of a trace: complete, well-formed whatever the texts hold,
# self-contained, the same bytes each time; errors in one line.
. tests/cli/lib.sh
plan 19

trace() { "$SVCLAB" trace -f $FIVE "$@" -o json; }
run sh -c '"$0" trace -f '$FIVE' --mode iptables outside/192.0.2.7 svc/default/web:80 -o json >"$1"; "$0" picture packet "$1"' "$SVCLAB" "$folder/t.json"
svg=$out
is "a trace becomes a picture with exit 0" "0 " "$code $err"
run "$SVCLAB" picture packet - <"$folder/t.json"
is "the same trace gives the same bytes" "$svg" "$out"
lost=
for name in $(jq -r '.outcomes[0].steps[] | select(.passed_over | not) | .node, (.chain | select(. != ""))' "$folder/t.json" | sort -u); do
	case $svg in *"$name"*) ;; *) lost="$lost $name" ;; esac
done
is "every node and chain of the trace is in the picture" "" "$lost"
lost=
for hook in $(jq -r '.outcomes[0].steps[] | select(.chain != "") | .hook' "$folder/t.json" | sort -u); do
	case $svg in *">$hook</text>"*) ;; *) lost="$lost $hook" ;; esac
done
is "every hook that has chains is in the picture" "" "$lost"
like "what a rule changed is told" '10\.96\.0\.10:80 -&gt; 10\.244\.[12]\.1[01]:8080</text>' "$svg"
is "a translation is told once a node" 1 "$(echo "$svg" | grep -c 'svp-change.*>.* 10.96.0.10:80')"
like "the verdict is told" 'delivered: pod/10\.244' "$svg"
like "the packet between two nodes is told as it was there" '192\.0\.2\.7\.[0-9]+ &gt; 10\.96\.0\.10\.80</text>' "$svg"
is "nothing is fetched: the only address is SVG's name" 'http://www.w3.org/2000/svg' \
	"$(echo "$svg" | grep -oE '[a-z]+://[^" ]*|url\([^)]*\)|@import[^;]*|<script' | sort -u)"

# Not well-formed: an unmatched tag, a stray "&", a control character.
well_formed()
{
	perl -0777 -e 'my $t = <STDIN>; my @open;
		die "control character\n" if $t =~ /[\x00-\x08\x0b-\x1f]/;
		die "stray &\n" if $t =~ /&(?!(?:amp|lt|gt|quot);)/;
		die "not UTF-8\n" unless utf8::decode($t);
		while ($t =~ m{<(/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(/?)>|<}g) {
			die "stray <\n" unless defined $2;
			if ($1) { my $last = pop @open // ""; die "$last closed by $2\n" unless $last eq $2 } elsif (!$4) { push @open, $2 }
		}
		print "open: @open";'
}
is "the picture is well-formed" "open: " "$(echo "$svg" | well_formed 2>&1)"
jq '.from = "<a href=\"x\">&" | .outcomes[0].steps[3].chain = "\u0001</text>&" | .outcomes[0].steps[4].text = "\"]]>\uffff"' \
	"$folder/t.json" >"$folder/hostile.json"
run "$SVCLAB" picture packet "$folder/hostile.json"
is "hostile texts leave it well-formed" "0 open: " "$code $(echo "$out" | well_formed 2>&1)"

# The rightmost end of a text, at 0.6 of 12 pixels a letter as monospace fonts have it.
widest() { echo "$1" | perl -CS -ne '
	next unless /<text [^>]*x="(\d+)"[^>]*>(?:<title>.*?<\/title>)?([^<]*)<\/text>/;
	my ($x, $text) = ($1, $2); $text =~ s/&\w+;/x/g;
	my $right = $x + 7.2 * length $text; $max = $right if $right > $max;
	BEGIN { $max = 0 } END { print int $max }'; }
for mode in iptables nftables ipvs; do
	run sh -c '"$0" trace -f '$FIVE' --mode '$mode' outside/192.0.2.7 svc/default/web:80 -o json | "$0" picture packet --width 340' "$SVCLAB"
	right=$(widest "$out")
	[ "$right" -gt 200 ] && [ "$right" -le 332 ]
	result $? "no text leaves a narrow picture ($mode)" "$right of 332"
done

run sh -c '"$0" trace -f '$FIVE' outside/192.0.2.7 svc/default/web:80 --exhaustive -o json >"$1"; "$0" picture packet --outcome 2 "$1"' "$SVCLAB" "$folder/all.json"
second=$(jq -r '.outcomes[1].backend.ip' "$folder/all.json")
like "--outcome picks another outcome, with its probability" "probability 0\.33.*backend .*$second" "$out"
run "$SVCLAB" picture packet --outcome 9 "$folder/all.json"
is "an outcome that is not there is one line and exit 2" "2 svclab picture: $folder/all.json: --outcome 9: expected 1 to 3" "$code $err"
echo '{"outcomes": [}' >"$folder/bad.json"
run "$SVCLAB" picture packet "$folder/bad.json"
like "broken JSON names file, line and column" "^2 .*bad.json:1:15: .*trace -o json" "$code $err"
echo '{"outcomes": [{"verdict": "delivered", "steps": [{"node": 3}]}]}' >"$folder/bad.json"
run "$SVCLAB" picture packet "$folder/bad.json"
like "JSON of another kind says what was expected" '^2 .*step 1 has no text "node"; expected' "$code $err"
run "$SVCLAB" picture ladder
like "a picture that there is not is refused" '^2 .*no picture "ladder"; expected packet' "$code $err"
