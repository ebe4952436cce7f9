-- What changes how many units of each condition there are at a place; not what only promises them,
-- which is most of what moves: a count that is told late looks at what has come and gone since.
CREATE FUNCTION moves_goods(source text, target text) RETURNS boolean IMMUTABLE LANGUAGE sql
RETURN (source IN ('free', 'reserved', 'held')) <> (target IN ('free', 'reserved', 'held'))
    OR source IN ('damaged', 'quality_hold') OR target IN ('damaged', 'quality_hold');
CREATE INDEX movements_of_goods ON movements (sku, location, effective_at)
    WHERE moves_goods(source, target);
