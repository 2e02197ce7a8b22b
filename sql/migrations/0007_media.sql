-- Uploads, the stages before a job may wait for its slot, how long things are kept, and which store has a file.

-- An upload is one picture of ours, made anew from what was sent or fetched. digest: keyed hash of account, user and those
-- bytes, so that the same picture is kept once; NULL when it is deleted. etag: hash of our file. store: enum store_kind.
CREATE TABLE upload (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    account_id INT UNSIGNED NOT NULL,
    user_id    VARCHAR(128) NULL,
    digest     BINARY(32) NULL UNIQUE,
    type       TINYINT UNSIGNED NOT NULL,
    width      INT UNSIGNED NOT NULL,
    height     INT UNSIGNED NOT NULL,
    bytes      BIGINT NOT NULL,
    etag       BINARY(32) NOT NULL,
    file       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    thumb_file VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    store      TINYINT UNSIGNED NOT NULL DEFAULT 0,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    deleted_us BIGINT NULL,
    removed_us BIGINT NULL,
    CONSTRAINT upload_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT upload_deleted CHECK ((deleted_us IS NULL) = (digest IS NOT NULL)),
    KEY upload_of_account (account_id, id),
    KEY upload_expires (deleted_us, expires_us),
    KEY upload_removed (removed_us, deleted_us)
) ENGINE = InnoDB;

-- expires_us: when its file is to be deleted. redacted_us: its words are gone, its row and its file may not be.
ALTER TABLE job
    ADD COLUMN upload         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    ADD COLUMN keep_days      INT UNSIGNED NULL,
    ADD COLUMN expires_us     BIGINT NULL,
    ADD COLUMN redacted_us    BIGINT NULL,
    ADD COLUMN error_input    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    ADD COLUMN error_category VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    DROP CONSTRAINT job_state,
    DROP CONSTRAINT job_prompt,
    ADD CONSTRAINT job_prompt CHECK (prompt IS NOT NULL OR deleted_us IS NOT NULL OR redacted_us IS NOT NULL),
    ADD CONSTRAINT job_state CHECK ((state = 1 AND stage IN (1, 2, 3, 7, 8)) OR (state = 2 AND stage = 4)
        OR (state = 3 AND stage IN (5, 6)) OR (state IN (4, 5, 6) AND stage = 0)),
    ADD KEY job_upload (upload),
    ADD KEY job_expires (output_state, expires_us);

ALTER TABLE output
    ADD COLUMN store TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER poster_file;

-- Largest upload, in bytes.
ALTER TABLE plan
    ADD COLUMN upload_bytes BIGINT NULL AFTER upload_days;

-- Reference images of jobs that wait become ours first, like everybody's from here on.
UPDATE due d JOIN job j ON j.id = d.job_id SET d.kind = 8 WHERE d.kind = 1 AND j.stage = 1 AND j.image_url IS NOT NULL;
UPDATE job SET stage = 7 WHERE stage = 1 AND image_url IS NOT NULL;
