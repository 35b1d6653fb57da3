# rules passed by the first packet of a connection against Services, each with 10 endpoints (tools/plots runs this)
set key top left
set logscale xy
set grid
set xlabel "Services (10 endpoints each)"
set ylabel "rules passed by the first packet of a connection"
data = folder . "/rules.tsv"
plot for [mode in "iptables ipvs nftables userspace"] \
	data using 2:(strcol(1) eq mode ? $6 : NaN) with linespoints pointsize 0.8 linewidth 2 title mode
