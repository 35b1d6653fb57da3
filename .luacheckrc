-- Scenarios run in a sandbox with these globals (lua/svclab.d.lua describes them).
std = "lua54"
max_line_length = 120
