-- Scenarios run in a sandbox with these globals (lua/svclab.d.lua describes them).
std = "lua54"
max_line_length = 120
allow_defined_top = false
read_globals = {
  "always", "apply", "by_dataplane", "capture", "cordon", "dataplane", "delete", "drain", "endpoints",
  "eventually", "expect", "expect_output", "get", "ip", "it", "list", "node", "node_port", "now", "outside",
  "params", "pod", "pods", "refused", "rollout", "rollout_pause", "rollout_restart", "rollout_resume",
  "rollout_undo", "scale", "scenario", "settle", "skip", "spawn", "switch_mode", "trace", "uncordon", "wait",
}
files["lua/prelude.lua"] = { allow_defined = true, ignore = { "111", "112", "113", "121", "131" } }
