"""Medians and ratios of the rows that the harness's ab.sh wrote: label name path round rps p50 p99 max sockerr non2xx cpu_us ..."""
import statistics
import sys
from collections import defaultdict

REFERENCE = "nginx"


def read(path):
    rows = defaultdict(lambda: defaultdict(list))
    for line in open(path, encoding="utf-8"):
        field = line.rstrip("\n").split("\t")
        name, url = field[1], field[2]
        rows[url][name].append({
            "rps": float(field[4]), "p50": float(field[5]), "p99": float(field[6]),
            "errors": int(field[8]) + int(field[9]), "cpu": float(field[10]),
        })
    return rows


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def main():
    head = f"{'path':<24}{'server':<8}{'req/s':>10}{'ratio':>7}{'cpu us/req':>12}{'capacity':>10}{'p50 us':>8}{'errors':>8}"
    print(head)
    for url, servers in read(sys.argv[1]).items():
        base_rps = median(servers[REFERENCE], "rps")
        base_cpu = median(servers[REFERENCE], "cpu")
        for name, runs in servers.items():
            rps, cpu = median(runs, "rps"), median(runs, "cpu")
            # capacity: what one fully used core would serve, relative to the reference; steadier than req/s
            print(f"{url:<24}{name:<8}{rps:>10.0f}{rps / base_rps:>7.2f}{cpu:>12.2f}{base_cpu / cpu:>10.2f}"
                  f"{median(runs, 'p50'):>8.0f}{sum(run['errors'] for run in runs):>8}")


main()
