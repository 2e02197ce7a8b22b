-- Plans and limits, what each account has used of them, a ledger that also knows top-ups and adjustments, quotes, what
-- an attempt was expected to cost, and the nightly proof of it all. Money is micro-units of the account's currency.

-- NULL: no limit. Lists are words separated by commas. margin_bp: hundredths of a percent on the catalogue's price.
CREATE TABLE plan (
    id                   INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name                 VARCHAR(40) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    durations            VARCHAR(200) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    resolutions          VARCHAR(200) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    models               VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    default_resolution   VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    margin_bp            INT UNSIGNED NOT NULL DEFAULT 0,
    running_max          INT UNSIGNED NULL,
    outstanding_max      INT UNSIGNED NULL,
    user_running_max     INT UNSIGNED NULL,
    user_outstanding_max INT UNSIGNED NULL,
    minute_max           INT UNSIGNED NULL,
    day_max              INT UNSIGNED NULL,
    day_micro            BIGINT NULL,
    month_micro          BIGINT NULL,
    attempts_max         TINYINT UNSIGNED NULL,
    output_days          INT UNSIGNED NULL,
    upload_days          INT UNSIGNED NULL,
    prompt_days          INT UNSIGNED NULL,
    storage_bytes        BIGINT NULL,
    updated_us           BIGINT NOT NULL,
    CONSTRAINT plan_running CHECK (running_max > 0 AND user_running_max > 0),
    CONSTRAINT plan_money CHECK (day_micro >= 0 AND month_micro >= 0 AND storage_bytes >= 0 AND margin_bp <= 1000000)
) ENGINE = InnoDB;
INSERT INTO plan (id, name, updated_us) VALUES (1, 'default', 0);

-- credit_limit_micro: how far its balance may go below zero; 0: prepaid, NULL: it pays later, whatever it comes to.
ALTER TABLE account
    ADD COLUMN plan_id            INT UNSIGNED NOT NULL DEFAULT 1,
    ADD COLUMN currency           CHAR(3) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL DEFAULT 'USD',
    ADD COLUMN credit_limit_micro BIGINT NULL,
    ADD CONSTRAINT account_plan FOREIGN KEY (plan_id) REFERENCES plan (id),
    ADD CONSTRAINT account_credit CHECK (credit_limit_micro >= 0);

-- No CHECK of what is in it: a job must be able to end, and the nightly proof tells. One row per account, and the lock under which its limits are looked at: no foreign key leads here, or the share
-- locks of its checks would make deadlocks. The windows are the minute, day and month (UTC) that begin at *_us; money
-- in them is what jobs accepted then hold or were charged.
CREATE TABLE account_use (
    account_id    INT UNSIGNED NOT NULL PRIMARY KEY,
    balance_micro BIGINT NOT NULL DEFAULT 0,
    outstanding_n INT NOT NULL DEFAULT 0,
    storage_bytes BIGINT NOT NULL DEFAULT 0,
    minute_us     BIGINT NOT NULL DEFAULT 0,
    minute_n      INT NOT NULL DEFAULT 0,
    day_us        BIGINT NOT NULL DEFAULT 0,
    day_n         INT NOT NULL DEFAULT 0,
    day_micro     BIGINT NOT NULL DEFAULT 0,
    month_us      BIGINT NOT NULL DEFAULT 0,
    month_micro   BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT account_use_account FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE = InnoDB;

-- From now on an entry may be of no job: kind 4 adjust (either way), 5 top-up. reference: whoever enters the same twice
-- has entered it once.
ALTER TABLE ledger
    DROP FOREIGN KEY ledger_job;
ALTER TABLE ledger
    DROP PRIMARY KEY,
    MODIFY job_id BIGINT NULL,
    MODIFY side TINYINT UNSIGNED NULL,
    ADD COLUMN id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST,
    ADD COLUMN reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    ADD COLUMN note VARCHAR(200) NULL,
    ADD UNIQUE KEY ledger_of_job (job_id, side),
    ADD UNIQUE KEY ledger_reference (account_id, reference),
    DROP CONSTRAINT ledger_kind,
    DROP CONSTRAINT ledger_amount,
    ADD CONSTRAINT ledger_job FOREIGN KEY (job_id) REFERENCES job (id),
    ADD CONSTRAINT ledger_kind CHECK ((job_id IS NOT NULL AND ((side = 0 AND kind = 1) OR (side = 1 AND kind IN (2, 3))))
        OR (side IS NULL AND kind IN (4, 5))),
    ADD CONSTRAINT ledger_amount CHECK (amount_micro >= 0 OR kind = 4);

INSERT INTO account_use (account_id, balance_micro, outstanding_n, storage_bytes)
SELECT a.id,
    -(SELECT IFNULL(SUM(IF(l.kind = 1, l.amount_micro, IF(l.kind = 3, -l.amount_micro, 0))), 0)
        FROM ledger l WHERE l.account_id = a.id),
    (SELECT COUNT(*) FROM job j WHERE j.account_id = a.id AND j.state < 4),
    (SELECT IFNULL(SUM(o.bytes), 0) FROM job j JOIN output o ON o.job_id = j.id
        WHERE j.account_id = a.id AND o.deleted_us IS NULL)
FROM account a;
-- Jobs that run already give back what they hold, so that must be in their windows: those of each account's newest job.
UPDATE account_use u JOIN (SELECT account_id, MAX(created_us) AS us FROM job GROUP BY account_id) n
    ON n.account_id = u.account_id
SET u.day_us = n.us DIV 86400000000 * 86400000000,
    u.month_us = 1000000 * TIMESTAMPDIFF(SECOND, '1970-01-01',
        DATE_FORMAT('1970-01-01' + INTERVAL n.us DIV 1000000 SECOND, '%Y-%m-01'));
UPDATE account_use u SET
    day_n = (SELECT COUNT(*) FROM job j WHERE j.account_id = u.account_id AND j.created_us >= u.day_us),
    day_micro = (SELECT IFNULL(SUM(j.price_micro), 0) FROM job j
        WHERE j.account_id = u.account_id AND j.created_us >= u.day_us AND (j.state < 4 OR j.charged)),
    month_micro = (SELECT IFNULL(SUM(j.price_micro), 0) FROM job j
        WHERE j.account_id = u.account_id AND j.created_us >= u.month_us AND (j.state < 4 OR j.charged));

-- fingerprint: keyed hash of what was asked for, normalised, and by which user. attempts_max: of its account's plan.
ALTER TABLE job
    ADD COLUMN fingerprint  BINARY(32) NULL,
    ADD COLUMN attempts_max TINYINT UNSIGNED NULL,
    ADD KEY job_intent (account_id, fingerprint(8), created_us);

-- expected_micro: what the catalogue said it would cost, when it was sent.
ALTER TABLE attempt
    ADD COLUMN expected_micro BIGINT NOT NULL DEFAULT 0 AFTER cost_micro,
    ADD KEY attempt_spend (created_us, provider);

-- An account's currency is what it was charged in.
UPDATE account a JOIN (SELECT account_id, MAX(currency) AS currency FROM ledger GROUP BY account_id) l ON l.account_id = a.id
SET a.currency = l.currency;

-- A price that is held until expires_us, for one job of just this kind.
CREATE TABLE quote (
    public_id   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    account_id  INT UNSIGNED NOT NULL,
    user_id     VARCHAR(128) NULL,
    route       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    model       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    resolution  VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    duration_s  TINYINT UNSIGNED NOT NULL,
    audio       TINYINT UNSIGNED NOT NULL,
    price_micro BIGINT NOT NULL,
    currency    CHAR(3) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    created_us  BIGINT NOT NULL,
    expires_us  BIGINT NOT NULL,
    job_id      BIGINT NULL,
    KEY quote_expires (expires_us)
) ENGINE = InnoDB;

-- Until when the operator's budget stops new submits; a row 'all' in the place of a provider's name: of everything.
ALTER TABLE provider_state
    ADD COLUMN braked_until_us BIGINT NULL;

-- What attempts of the last day cost, by what became of them (core/money/cost.h), and what was charged meanwhile: written
-- by the sweeper, for /metrics.
CREATE TABLE cost_outcome (
    outcome     VARCHAR(24) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    currency    CHAR(3) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    n           BIGINT NOT NULL,
    micro       BIGINT NOT NULL,
    computed_us BIGINT NOT NULL,
    PRIMARY KEY (outcome, currency)
) ENGINE = InnoDB;

-- The nightly proof of the ledger: one row. begun_us: by whichever sweeper took it; checked_us: when it was last gone through
-- to the end, and broken is how many rules' breaches that found.
CREATE TABLE ledger_audit (
    id         TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    begun_us   BIGINT NOT NULL,
    checked_us BIGINT NOT NULL,
    broken     BIGINT NOT NULL,
    CONSTRAINT ledger_audit_one CHECK (id = 1)
) ENGINE = InnoDB;
INSERT INTO ledger_audit (id, begun_us, checked_us, broken) VALUES (1, 0, 0, 0);
