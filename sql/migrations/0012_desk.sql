-- What support does, and what was said on the wire.

-- One row of each thing that a person did to a job, an account or a provider, done or refused. actor: "operator" (the
-- command line) or "acct_…, key 7". outcome: "done", or the code it was refused with. data: a JSON object of what was asked.
CREATE TABLE operator_action (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at_us      BIGINT NOT NULL,
    actor      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    action     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    job_id     BIGINT NULL,
    account_id INT UNSIGNED NULL,
    subject    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    reason     VARCHAR(500) NOT NULL,
    outcome    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    data       VARCHAR(2000) NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    CONSTRAINT operator_action_job FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT operator_action_account FOREIGN KEY (account_id) REFERENCES account (id),
    KEY operator_action_of_job (job_id, id),
    KEY operator_action_of_account (account_id, id)
) ENGINE = InnoDB;

-- The reason of an action stands whole beside what was done for it.
ALTER TABLE ledger MODIFY note VARCHAR(500) NULL;
ALTER TABLE legal_hold MODIFY reason VARCHAR(500) NOT NULL;

-- What a provider was asked about a job and what it said, with secrets taken out: for people who explain. The same answer
-- again (the same status, and the same words but for its progress) only counts: n times, the last at last_us. status: NULL
-- where no answer came, and excerpt says why. alike: a number of what was asked and said, without what grows or counts.
CREATE TABLE wire (
    id        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job_id    BIGINT NOT NULL,
    attempt_n TINYINT UNSIGNED NOT NULL,
    what      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    at_us     BIGINT NOT NULL,
    last_us   BIGINT NOT NULL,
    n         INT UNSIGNED NOT NULL DEFAULT 1,
    took_ms   INT UNSIGNED NOT NULL,
    method    VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    url       VARCHAR(500) NOT NULL,
    status    SMALLINT UNSIGNED NULL,
    excerpt   VARCHAR(2000) NULL,
    alike     BIGINT NOT NULL,
    CONSTRAINT wire_job FOREIGN KEY (job_id) REFERENCES job (id),
    UNIQUE KEY wire_alike (job_id, attempt_n, alike),
    KEY wire_of_job (job_id, id)
) ENGINE = InnoDB;

-- Support knows the provider's id, and not always whose.
ALTER TABLE attempt
    ADD KEY attempt_remote_id (provider_job_id);
