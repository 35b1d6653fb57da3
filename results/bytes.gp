# bytes of text kube-proxy writes against Services, each with 10 endpoints (tools/plots runs this)
set key top left
set logscale xy
set grid
set xlabel "Services (10 endpoints each)"
set ylabel "bytes of text kube-proxy writes"
data = folder . "/rules.tsv"
plot for [mode in "iptables ipvs nftables userspace"] \
	data using 2:(strcol(1) eq mode ? $5 : NaN) with linespoints pointsize 0.8 linewidth 2 title mode
