-- What was looked at before a job was submitted, or a video delivered, and what each checker said (core/job/moderation.h).
-- scores: JSON, as the service gave them. rule: the phrase of ours that matched; for operators only, never for users.
CREATE TABLE moderation (
    id       BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job_id   BIGINT NOT NULL,
    target   VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    checker  VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    verdict  TINYINT UNSIGNED NOT NULL,
    category VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    rule     VARCHAR(200) NULL,
    scores   TEXT NULL,
    ref      VARCHAR(128) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    cached   BOOL NOT NULL,
    at_us    BIGINT NOT NULL,
    CONSTRAINT moderation_job FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT moderation_verdict CHECK (verdict BETWEEN 1 AND 4),
    KEY moderation_of_job (job_id, id)
) ENGINE = InnoDB;

-- The same, counted since the beginning: for /metrics, which must not count rows.
CREATE TABLE moderation_tally (
    checker VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    verdict TINYINT UNSIGNED NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (checker, verdict)
) ENGINE = InnoDB;

-- Verdicts by a keyed hash of the checker's policy and the content.
CREATE TABLE moderation_cache (
    digest   BINARY(32) NOT NULL PRIMARY KEY,
    verdict  TINYINT UNSIGNED NOT NULL,
    category VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    scores   TEXT NULL,
    ref      VARCHAR(128) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    at_us    BIGINT NOT NULL,
    KEY moderation_cache_age (at_us)
) ENGINE = InnoDB;

-- Services, as the sweepers last found them. away_us: it has not answered since; refused: it does not take our key.
CREATE TABLE moderation_service (
    name    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    away_us BIGINT NULL,
    refused BOOL NOT NULL DEFAULT FALSE
) ENGINE = InnoDB;

-- Jobs that a person has to look at. state 1: open, 2: passed, 3: blocked, 4: over (canceled, expired, too late to decide).
-- left_us: what was left until the job's deadline, which does not run meanwhile. until_us: when it is blocked undecided.
CREATE TABLE review (
    job_id     BIGINT NOT NULL PRIMARY KEY,
    state      TINYINT UNSIGNED NOT NULL,
    target     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    checker    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    category   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    left_us    BIGINT NOT NULL,
    held_us    BIGINT NOT NULL,
    until_us   BIGINT NOT NULL,
    decided_us BIGINT NULL,
    decided_by VARCHAR(64) NULL,
    note       VARCHAR(500) NULL,
    CONSTRAINT review_job FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT review_state CHECK (state BETWEEN 1 AND 4 AND (state = 1) = (decided_us IS NULL)),
    KEY review_state (state, held_us, job_id)
) ENGINE = InnoDB;

-- Blocked prompts of a day (UTC) of one user of an account; user_id '': of the account itself.
CREATE TABLE user_blocks (
    account_id INT UNSIGNED NOT NULL,
    user_id    VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    day_us     BIGINT NOT NULL,
    n          INT UNSIGNED NOT NULL,
    last_us    BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id, day_us),
    KEY user_blocks_day (day_us)
) ENGINE = InnoDB;
