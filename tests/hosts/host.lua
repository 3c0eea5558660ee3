-- What a Lua program does to a heap: tables that grow, strings, closures, coroutines, and its own collector.
local function tree(depth)
  if depth == 0 then return {} end
  return {tree(depth - 1), tree(depth - 1)}
end
local function count(t)
  return 1 + (t[1] and count(t[1]) + count(t[2]) or 0)
end
for _ = 1, 5 do print(count(tree(15))) end
local words = {}
for i = 1, 100000 do
  local key = "k" .. (i * i) % 9973
  words[key] = (words[key] or "") .. string.char(65 + i % 26)
end
local keys = {}
for key in pairs(words) do keys[#keys + 1] = key end
table.sort(keys)
print(#keys, keys[1], words[keys[1]], words[keys[#keys]])
local threads = {}
for i = 1, 2000 do
  threads[i] = coroutine.create(function(n)
    for k = 1, 5 do n = n + coroutine.yield(("x"):rep(n % 100 + k)) end
    return n
  end)
end
local total = 0
for round = 1, 5 do
  for i = 1, 2000 do
    local _, text = coroutine.resume(threads[i], i)
    total = total + #text
  end
end
print(total)
collectgarbage()
print(#table.concat(keys))
