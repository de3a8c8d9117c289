"""Benchmarks: ours and the real servers in alternating rounds of one run; ratios, never a stored absolute figure."""
