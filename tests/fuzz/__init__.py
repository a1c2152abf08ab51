"""Whatever bytes come from outside: what was meant, or an error of ours that names the thing; never anything else."""
