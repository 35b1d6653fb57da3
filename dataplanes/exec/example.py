#!/usr/bin/env python3
"""A dataplane in another language: run scenarios on it with

    svclab run FILE.lua --dataplane exec:dataplanes/exec/example.py

It does the core of a Service network in one nft table: ClusterIPs of IPv4, their endpoints by
chance, a rejection where there are none, masquerade of a client that is its own backend, node
ports. dataplanes/README.md describes the lines it reads and writes. What it leaves out shows
in the suite: session affinity, traffic policies, external addresses, IPv6.
"""
import json
import sys


def pairs(services, slices):
    """Each service port with the addresses and port that serve it."""
    by_service = {}
    for s in slices:
        name = s["metadata"].get("labels", {}).get("kubernetes.io/service-name")
        if s.get("addressType") == "IPv4":
            by_service.setdefault((s["metadata"]["namespace"], name), []).append(s)
    for service in services:
        meta, spec = service["metadata"], service["spec"]
        if spec.get("type") == "ExternalName" or spec.get("clusterIP", "None") in ("", "None"):
            continue
        if ":" in spec["clusterIP"]:
            continue
        for port in spec.get("ports", []):
            backends = set()
            for s in by_service.get((meta["namespace"], meta["name"]), []):
                number = next((p.get("port") for p in s.get("ports") or []
                               if p.get("name", "") == port.get("name", "")
                               and p.get("protocol", "TCP") == port.get("protocol", "TCP")), None)
                for endpoint in s.get("endpoints") or []:
                    if number and endpoint.get("conditions", {}).get("ready", True):
                        backends.add((endpoint["addresses"][0], number))
            yield spec, port, sorted(backends)


def rules(request):
    """The table as one nft script: made anew in one transaction, so no packet sees half of it."""
    nat, refuse = [], []
    for spec, port, backends in pairs(request["services"], request["endpointSlices"]):
        protocol = port.get("protocol", "TCP").lower()
        places = [f"ip daddr {spec['clusterIP']} {protocol} dport {port['port']}"]
        if port.get("nodePort"):
            places.append(f"fib daddr type local ip daddr != 127.0.0.0/8 {protocol} dport {port['nodePort']}")
        for place in places:
            if not backends:
                refuse.append(f"{place} reject")
                continue
            chosen = ", ".join(f"{i} : {ip} . {number}" for i, (ip, number) in enumerate(backends))
            mark = "meta mark set 0x1000 " if place.startswith("fib") else ""
            nat.append(f"{place} {mark}dnat ip to numgen random mod {len(backends)} map {{ {chosen} }}")
    own = sorted({ip for _, _, backends in pairs(request["services"], request["endpointSlices"])
                  for ip, _ in backends})
    hairpin = [f"ip saddr {ip} ip daddr {ip} masquerade" for ip in own]
    chains = [
        ("prerouting", "type nat hook prerouting priority dstnat", nat),
        ("output", "type nat hook output priority -100", nat),
        ("postrouting", "type nat hook postrouting priority srcnat",
         ["meta mark 0x1000 masquerade"] + hairpin),
        ("forward", "type filter hook forward priority 0", refuse),
        ("local-in", "type filter hook input priority 0", refuse),
        ("local-out", "type filter hook output priority 0", refuse),
    ]
    text = ["add table ip example", "delete table ip example", "table ip example {"]
    for name, hook, body in chains:
        text += [f"\tchain {name} {{", f"\t\t{hook}; policy accept;"]
        text += [f"\t\t{rule}" for rule in body] + ["\t}"]
    return "\n".join(text + ["}", ""])


def answer(request):
    if request["op"] == "open":
        return {"protocol": 1} if request["protocol"] == 1 else {"error": "expected protocol 1"}
    if request["op"] == "plan":
        return {"transactions": [{"tool": "nft", "text": rules(request)}]}
    return {"error": f"no operation {request['op']}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
