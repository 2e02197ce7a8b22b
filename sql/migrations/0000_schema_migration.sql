-- The record of the migrations themselves. Runs first, every time, so it must stay harmless when it has run before.
-- state 'started' is written before a migration and 'done' after: DDL is not transactional, and one that stopped
-- half-way must be seen.
CREATE TABLE IF NOT EXISTS schema_migration (
    version    INT NOT NULL PRIMARY KEY,
    name       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    checksum   BINARY(32) NOT NULL,
    state      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    applied_us BIGINT NOT NULL,
    CONSTRAINT schema_migration_state CHECK (state IN ('started', 'done'))
) ENGINE = InnoDB;
