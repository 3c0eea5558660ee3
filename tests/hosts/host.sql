-- What a database does to a heap: pages, sorters, blobs, expressions, JSON.
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, value REAL, data BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
  INSERT INTO t SELECT i, 'name' || (i * 7919 % 10007), i * 1.5, zeroblob(i % 200) FROM n;
CREATE INDEX by_name ON t (name);
SELECT count(*), sum(value), max(length(data)) FROM t;
SELECT name, count(*) AS c FROM t GROUP BY name ORDER BY c DESC, name LIMIT 5;
SELECT a.id, b.id FROM t a JOIN t b ON a.name = b.name WHERE a.id < b.id ORDER BY a.id, b.id LIMIT 5;
UPDATE t SET data = randomblob(300) WHERE id % 3 = 0;
SELECT sum(length(data)) FROM t;
DELETE FROM t WHERE id % 2 = 0;
VACUUM;
SELECT count(*), group_concat(substr(name, 1, 5), '') = '' FROM (SELECT name FROM t ORDER BY id LIMIT 1000);
SELECT length(group_concat(name)) FROM t;
SELECT json_array_length(json_group_array(json_object('id', id, 'name', name))) FROM t;
PRAGMA integrity_check;
