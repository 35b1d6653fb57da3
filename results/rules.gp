# rules (text lines that are rules, servers, set members) against Services, each with 10 endpoints (tools/plots runs this)
set key top left
set logscale xy
set grid
set xlabel "Services (10 endpoints each)"
set ylabel "rules (text lines that are rules, servers, set members)"
data = folder . "/rules.tsv"
plot for [mode in "iptables ipvs nftables userspace"] \
	data using 2:(strcol(1) eq mode ? $4 : NaN) with linespoints pointsize 0.8 linewidth 2 title mode
