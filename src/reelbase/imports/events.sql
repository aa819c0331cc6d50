-- Told by a trigger whenever the row of an import changes.

-- name: listen
listen reelbase_import_events;
