-- A Lua program that lives by its heap: binary trees, tables of strings, and strings put together piece by piece.
-- The argument is the number of rounds; what it prints depends on nothing but that.

local function tree(depth)
  if depth == 0 then return {} end
  return { tree(depth - 1), tree(depth - 1) }
end

local function count(node)
  if not node[1] then return 1 end
  return 1 + count(node[1]) + count(node[2])
end

local function strings(rounds, seed)
  local words, state = {}, seed
  for i = 1, rounds do
    state = (state * 1103515245 + 12345) % 2147483648
    words[i] = "key-" .. state % 20011 .. string.rep("x", state % 13)
  end
  local seen = {}
  for i, word in ipairs(words) do
    local places = seen[word] or {}
    places[#places + 1] = i
    seen[word] = places
  end
  local different = 0
  for _ in pairs(seen) do different = different + 1 end
  return different, #table.concat(words, ",")
end

local long_lived = tree(14)
for round = 1, tonumber(arg[1]) do
  local nodes = 0
  for _ = 1, 12 do nodes = nodes + count(tree(12)) end
  print(round, nodes, strings(30000, round))
end
print(count(long_lived))
