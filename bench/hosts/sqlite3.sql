-- An in-memory database that lives by its heap: inserts, indexes, joins, sorting, and text functions.
-- The parameter :rows is the number of rows; the numbers come from arithmetic, so the output is always the same.

CREATE TABLE item(id INTEGER PRIMARY KEY, owner INTEGER, name TEXT, body TEXT, price REAL);
CREATE TABLE owner(id INTEGER PRIMARY KEY, name TEXT, city TEXT);

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows / 20)
INSERT INTO owner SELECT i, printf('owner-%06d', i * 7919 % 100003), printf('city-%d', i % 97) FROM n;

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO item
SELECT i, 1 + i * 31 % (:rows / 20 + 1), printf('item-%07d', i * 104729 % 1000003),
       replace(hex(zeroblob(10 + i % 90)), '0', char(97 + i % 26)), i * 37 % 10007 / 100.0
FROM n;

CREATE INDEX item_name ON item(name);
CREATE INDEX item_owner ON item(owner, price);
CREATE INDEX item_body ON item(substr(body, 1, 12), name);

SELECT count(*), sum(length(body)), round(sum(price), 2) FROM item;
SELECT city, count(*), round(avg(price), 3), max(item.name) FROM item JOIN owner ON owner.id = item.owner
GROUP BY city ORDER BY 2 DESC, 1 LIMIT 10;
SELECT length(group_concat(upper(name) || ':' || lower(substr(body, 1, 8)), ';')) FROM (SELECT * FROM item ORDER BY name);
SELECT substr(name, 1, 8) AS prefix, count(*), count(DISTINCT owner) FROM item GROUP BY prefix ORDER BY 2 DESC, 1 LIMIT 10;
UPDATE item SET body = body || '-' || name, name = trim(printf('%s%s', name, substr(body, 1, 20))) WHERE id % 3 = 0;
DELETE FROM item WHERE id % 7 = 0;
SELECT count(*), sum(length(body)), min(name), max(name) FROM item;
SELECT a.city, count(*) FROM owner a JOIN owner b ON a.city = b.city AND a.id < b.id GROUP BY a.city ORDER BY 1 LIMIT 5;
