---@meta
-- The scenario language, for editors (and for people). Durations are Go's ("31s", "1m30s") or
-- numbers of seconds. Every global of lua/prelude.lua stands here; a test compares the two.

---@class Scenario
---@field name string one behaviour in a few words
---@field refs? string[] IDs of behaviours, "AFF-02"
---@field nodes? (string|NodeOptions)[] default { "a", "b" }
---@field dataplanes? "all"|string[] default all
---@field skip? table<string,string> dataplane -> reason
---@field params? table<string,any> defaults of -p KEY=VALUE
---@field kube_version? "1.20"|"1.25"|"1.30"|"1.34"
---@field dual_stack? boolean
---@field no_dns? boolean no CoreDNS pods
---@field pod_cidr? string
---@field service_cidr? string
---@field lan? string the nodes' network
---@field upstream? string a master file that plays the DNS servers outside, with lines ";@ NAME ACTION"
---@field kube_proxy? string YAML lines for kube-proxy's config.conf
---@class NodeOptions
---@field name string
---@field zone? string
---@field labels? table<string,string>
---@field routed? boolean routed veths instead of a bridge
---@field no_hairpin? boolean
---@field overlay? boolean VXLAN overlay instead of host routes
---@field missing_modules? string modules that its kernel does not have, "ip_vs ip_vs_rr"
---@field kernel? string its kernel's version, "5.10.0"
---@field nft? string the version of nft that kube-proxy finds there, "0.9.8"

---Starts the cluster. Once a file, before anything else.
---@param options Scenario
function scenario(options) end
---Registers a test; tests run in order after the file's top level.
---@param sentence string
---@param body fun()
---@param options? { todo?: string, skip?: string }
function it(sentence, body, options) end
---Ends the test as skipped: what it shows cannot be seen here.
---@param reason string
function skip(reason) end
---What -p KEY=VALUE gave, else the scenario's defaults.
---@type table<string,any>
params = {}
---The dataplane that this run is about: "iptables", "ipvs", ...
---@type string
dataplane = ""
---The choice for this dataplane, or `default`; a function is called.
---@param choices table<string,any>
function by_dataplane(choices) end

---@class Expectation
---@field eq fun(self, value: any): Expectation deep equality
---@field is_nil fun(self): Expectation
---@field is_true fun(self): Expectation
---@field is_false fun(self): Expectation
---@field contains fun(self, value: any): Expectation
---@field matches fun(self, pattern: string): Expectation a Lua pattern
---@field one_of fun(self, list: any[]): Expectation
---@field same_set fun(self, list: any[]): Expectation in any order
---@field at_least fun(self, n: number): Expectation
---@field at_most fun(self, n: number): Expectation
---@field between fun(self, low: number, high: number): Expectation
---@field near fun(self, n: number, tolerance: number): Expectation
---@field never fun(self): Expectation the opposite of what follows
---A value and what is expected of it: expect(result.error):is_nil(), expect(x):never():contains "y".
---@return Expectation
function expect(value) end
---Tries again until the check passes or the time is over; a field of what is not there yet is waited for too.
function eventually(duration, check, every) end
---The check holds all the time.
function always(duration, check, every) end
---Compares with tests/golden/NAME; `svclab run --update` rewrites it.
---@param name string
---@param text string
function expect_output(name, text) end

---Seconds of virtual time.
---@return number
function now() end
---Lets virtual time pass: wait "10s".
function wait(duration) end
---Runs beside the rest. task:join() waits for it.
function spawn(body) end

---kubectl apply: YAML text, or a file beside the script.
---@param text string
---@return string what kubectl says
function apply(text) end
---Writes the status of objects that are there, as a controller does.
---@param text string
---@return string
function apply_status(text) end
---kubectl 1.34 with these words: kubectl "get svc web -o wide". Files are those beside the
---script; commands that wait run the clock. `exec` has no programs to run: see Place.
---@param line string
---@param input? string what "-f -" reads
---@return string text what it prints, errors too
---@return integer code its exit code
function kubectl(line, input) end
---The API server's refusal of a manifest.
---@return string
function refused(text) end
---An object as a table, or nil: get "service/web".
function get(key, namespace) end
---Objects of a kind, by namespace and name.
function list(kind, namespace) end
---Deletes and waits until it is gone: delete("pod/web-0", { grace = 0, nowait = true, namespace = "x" }).
function delete(key, options) end
---kubectl scale: scale("deployment/web", 3).
function scale(key, replicas, namespace) end
---Waits for a rollout and for every node's rules.
function rollout(key, options) end
---kubectl rollout restart.
function rollout_restart(key, namespace) end
---kubectl rollout undo, to the revision before or to this one.
function rollout_undo(key, revision, namespace) end
---kubectl rollout pause.
function rollout_pause(key, namespace) end
---kubectl rollout resume.
function rollout_resume(key, namespace) end
---kubectl cordon.
function cordon(node) end
---kubectl uncordon.
function uncordon(node) end
---kubectl drain: evicts the node's pods and waits until they are gone.
function drain(node) end
---Waits until controllers, kubelets and kube-proxies have nothing left to do.
function settle(timeout) end
---Names of pods: pods "app=web".
---@return string[]
function pods(selector, namespace) end
---"ip:port" of a Service's ready endpoints.
---@return string[]
function endpoints(service, namespace) end
---Address of "web-0", "svc/web" or "node/a".
---@return string
function ip(name, namespace) end
---The node port of a Service's port: its only one, or the one of this name.
---@return integer
function node_port(service, port_name, namespace) end
---As editing kube-proxy's ConfigMap and deleting its pods.
function switch_mode(mode) end

---@class Result
---@field ok boolean
---@field error string? errno as the client saw it, "ECONNREFUSED"
---@field backend string? "default/web-0"
---@field backend_ip string?
---@field seen { ip: string, port: integer }? the client as the server saw it
---@field status integer? HTTP
---@field body string?
---@field head string? HTTP: status line and header lines, as received
---@field seconds number
---@field spread table<string,integer> load: connections by backend
---@field failures integer load
---@field received integer ping
---@field addresses string[] DNS
---@field rcode string? DNS, "NXDOMAIN"
---@field ttl integer DNS: of the answer; ping: of the reply
---@field text string? what the tool prints
---@field trace fun(): table

---@class Place
---@field name string
---@field kind "pod"|"node"|"outside"
---@field request fun(self, target: string, options?: table): Result HTTP GET; proto = "udp" sends a datagram
---@field connect fun(self, target: string, options?: table): Result handshake only
---@field send fun(self, target: string, data?: string, options?: table): Result a datagram
---@field open fun(self, target: string, options?: table): Connection stays open until it is closed
---@field begin fun(self, target: string, options?: table): table a request under way: r.finish() waits for its Result
---@field ping fun(self, target: string, options?: table): Result
---@field resolve fun(self, name: string, options?: table): Result as libc does
---@field dig fun(self, name: string, qtype?: string, options?: table): Result
---@field nslookup fun(self, name: string, options?: table): Result
---@field host fun(self, name: string, options?: table): Result
---@field curl fun(self, url: string, options?: table): Result
---@field load fun(self, target: string, options: { count?: integer, rate?: number }): Result
---@field inject fun(self, packet: table, interface?: string) a crafted packet arrives; it leaves a pod when no interface is named
---@field ip fun(self, family?: integer): string
---@field dump fun(self, view: string, argument?: string): string "iptables-save", "conntrack", "ipvsadm", ...
---@field cat fun(self, path: string): string? a file: "/etc/resolv.conf", "/etc/hosts", what was written
---@field write fun(self, path: string, text: string) HTTP servers serve what lies under their folder
---@field logs fun(self, container?: string): string what a pod's container has printed
---@field env fun(self): table<string,string> variables of a pod's first container
---@field sysctl fun(self, name: string, value?: integer): integer
---@field counters fun(self): table
---@field logs fun(self, container?: string): string what `kubectl logs` prints of a pod
---@field rules fun(self, view?: string, format?: string): string
---@field sync_stats fun(self): table
---@field restart_kube_proxy fun(self)
---@field cleanup_kube_proxy fun(self) `kube-proxy --cleanup`: rules of every mode go
---@field run fun(self, line: string) an administrator's command: "iptables -P FORWARD DROP", "ip addr add 192.168.0.77/24 dev eth0", nft, ipset, ipvsadm, "ip route ...", "conntrack -D ..."
---@field fault fun(self, what: string)
---@field partition fun(self, other: string|Place)
---@field race fun(self, kernel?: "old") @ a node's CPUs race for the conntrack entries of UDP packets sent at once; "old": a kernel before 5.7
---@field heal fun(self)
---@field lose fun(self, per_million: integer)
---@field delay fun(self, duration: any)
---@field reorder fun(self, jitter: any)
---@field down fun(self) @ a node: power off
---@field up fun(self)
---@field stop_kubelet fun(self)
---@field cut_off fun(self) @ a node loses the API server
---@field fail_readiness fun(self, container?: string)
---@field pass_readiness fun(self, container?: string)
---@field fail_liveness fun(self, container?: string)
---@field heal_probes fun(self, container?: string)
---@field kill fun(self, exit_code?: integer, container?: string)
---@field kill_sandbox fun(self)

---pod "name" is there already; pod { name = "cli", node = "a" } makes one and waits until it is ready.
---@param t string|{ name: string, node?: string, namespace?: string, image?: string, labels?: table, annotations?: table, ports?: (integer|table)[], host_network?: boolean, dns_policy?: string, grace?: integer }
---@return Place
function pod(t) end
---A node of the scenario.
---@return Place
function node(name) end
---A host outside the cluster, made when it is first named: outside "192.0.2.7".
---@return Place
function outside(address) end

---@class Connection
---@field request fun(self, path: string, data?: string): Result the next request on it
---@field close fun(self) with a FIN
---@field reset fun(self) with a RST

---@class Tap
---@field has fun(self, filter: string) one packet or more; the filter is tcpdump's
---@field has_not fun(self, filter: string)
---@field count fun(self, filter: string): integer
---@field lines fun(self): string[] all packets as tcpdump prints them
---@field from_now fun(self): Tap the same place, without what was seen until now

---Packets at a place ("pod/x", "node/a:eth0", "*") since the test began.
---@return Tap
function capture(where) end
---What becomes of one packet: verdict, reason, steps, rules_evaluated, text.
function trace(from, target, options) end
