-- Retention: what must be kept whatever its age, whose things are to be erased, and how fast the store fills.

-- A legal hold: of an account, of one userId of it, or of one job. Nothing of it is deleted or redacted until it ends.
CREATE TABLE legal_hold (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account_id INT UNSIGNED NOT NULL,
    user_id    VARCHAR(128) NULL,
    job_id     BIGINT NULL,
    reason     VARCHAR(200) NOT NULL,
    placed_by  VARCHAR(64) NOT NULL,
    since_us   BIGINT NOT NULL,
    ended_us   BIGINT NULL,
    CONSTRAINT legal_hold_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT legal_hold_job FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT legal_hold_one CHECK (user_id IS NULL OR job_id IS NULL),
    KEY legal_hold_of (account_id, ended_us)
) ENGINE = InnoDB;

-- Whoever deletes shares this row's lock, whoever places a hold has it alone: after that nothing under it goes.
CREATE TABLE legal_hold_gate (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT INTO legal_hold_gate (id) VALUES (1);

-- An account, or one userId of it, that is being erased. at_id: the newest job that this walk has gone through; open_id:
-- the first that had not ended by then (0: none), where the next walk begins. upto_id: the newest job when it was asked for;
-- what a user has made for him later stays.
CREATE TABLE erasure (
    id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    account_id  INT UNSIGNED NOT NULL,
    user_id     VARCHAR(128) NULL,
    created_us  BIGINT NOT NULL,
    due_us      BIGINT NOT NULL,
    upto_id     BIGINT NOT NULL,
    at_id       BIGINT NOT NULL DEFAULT 0,
    open_id     BIGINT NOT NULL DEFAULT 0,
    jobs_n      BIGINT NOT NULL DEFAULT 0,
    finished_us BIGINT NULL,
    CONSTRAINT erasure_account FOREIGN KEY (account_id) REFERENCES account (id),
    KEY erasure_next (finished_us, due_us),
    KEY erasure_of (account_id, finished_us)
) ENGINE = InnoDB;

-- Bytes that were kept at the end of a day (or are now, of today), by account. kind: 1 outputs, 2 uploads.
CREATE TABLE storage_day (
    day        INT NOT NULL,
    account_id INT UNSIGNED NOT NULL,
    kind       TINYINT UNSIGNED NOT NULL,
    bytes      BIGINT NOT NULL,
    PRIMARY KEY (day, account_id, kind)
) ENGINE = InnoDB;

-- Whose words are still there, oldest end first. What was deleted before has none.
UPDATE job SET redacted_us = deleted_us WHERE deleted_us IS NOT NULL;
ALTER TABLE job
    ADD KEY job_words (account_id, redacted_us, finished_us);
