-- What PostgreSQL lacks of what the archive's SQL uses.
CREATE OR REPLACE FUNCTION json_each(list text) RETURNS TABLE (key bigint, value text) LANGUAGE sql IMMUTABLE AS
    'SELECT ordinality, value FROM json_array_elements_text(list::json) WITH ORDINALITY';
CREATE OR REPLACE FUNCTION instr(said text, part text) RETURNS integer LANGUAGE sql IMMUTABLE AS
    'SELECT strpos(said, part)';
-- Capitals, as "ß" and "ς" are folded by them.
CREATE OR REPLACE FUNCTION fold(said text) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT upper(said COLLATE "und-x-icu") COLLATE "C"';
-- A document may hold halves of characters, which PostgreSQL does not read.
CREATE OR REPLACE FUNCTION field(document text, name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN document::json ->> name; EXCEPTION WHEN OTHERS THEN RETURN document; END';
ALTER TABLE passages ADD COLUMN IF NOT EXISTS rowid BIGINT GENERATED ALWAYS AS IDENTITY;
CREATE INDEX IF NOT EXISTS passages_rowid ON passages (rowid);
