-- 50,000 jobs of 200 accounts, as a day of work would have left them: ids, events, attempts, outputs, ledger and due
-- work agree with one another, so that `filmgate audit ledger` passes. Ids are hashes: as scattered as real ones. Another
-- hundred accounts have no jobs yet. All have limits of every kind, which they do not come to.
SET SESSION sql_mode = 'TRADITIONAL', tx_isolation = 'READ-COMMITTED';
SET @now = CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED), @price = 10000;

-- How a job went: its way through the states, and how many of a hundred went that way.
CREATE TEMPORARY TABLE way (
    name CHAR(9) NOT NULL PRIMARY KEY, from_n INT NOT NULL, below_n INT NOT NULL, state INT NOT NULL,
    stage INT NOT NULL, error_code VARCHAR(32) NULL, steps INT NOT NULL, attempts INT NOT NULL
);
INSERT INTO way VALUES
    ('succeeded', 0, 90, 4, 0, NULL, 6, 1),
    ('failed', 90, 94, 5, 0, 'provider_failed', 4, 1),
    ('canceled', 94, 96, 5, 0, 'canceled', 2, 0),
    ('expired', 96, 97, 6, 0, 'deadline_exceeded', 5, 1),
    ('running', 97, 100, 3, 5, NULL, 4, 1);

CREATE TEMPORARY TABLE step (
    way CHAR(9) NOT NULL, seq INT NOT NULL, kind VARCHAR(32) NOT NULL, state INT NOT NULL, stage INT NOT NULL,
    PRIMARY KEY (way, seq)
);
INSERT INTO step VALUES
    ('succeeded', 1, 'created', 1, 1), ('succeeded', 2, 'submitting', 1, 2), ('succeeded', 3, 'accepted', 2, 4),
    ('succeeded', 4, 'started', 3, 5), ('succeeded', 5, 'output_ready', 3, 6), ('succeeded', 6, 'succeeded', 4, 0),
    ('failed', 1, 'created', 1, 1), ('failed', 2, 'submitting', 1, 2), ('failed', 3, 'accepted', 2, 4),
    ('failed', 4, 'failed', 5, 0),
    ('canceled', 1, 'created', 1, 1), ('canceled', 2, 'canceled', 5, 0),
    ('expired', 1, 'created', 1, 1), ('expired', 2, 'submitting', 1, 2), ('expired', 3, 'accepted', 2, 4),
    ('expired', 4, 'started', 3, 5), ('expired', 5, 'expired', 6, 0),
    ('running', 1, 'created', 1, 1), ('running', 2, 'submitting', 1, 2), ('running', 3, 'accepted', 2, 4),
    ('running', 4, 'started', 3, 5);

START TRANSACTION;
INSERT INTO plan (name, running_max, outstanding_max, minute_max, day_max, day_micro, month_micro, storage_bytes, updated_us)
    VALUES ('bench', 1000000, 1000000, 1000000, 1000000000, 900000000000000, 900000000000000, 900000000000000, @now);
INSERT INTO account (public_id, name, created_us, plan_id, credit_limit_micro)
    SELECT CONCAT('acct_', LEFT(SHA2(CONCAT('account', seq), 256), 26)), CONCAT('bench ', seq), @now,
        (SELECT id FROM plan WHERE name = 'bench'), 900000000000000
    FROM seq_1_to_300;
SET @account = (SELECT MIN(id) FROM account WHERE name LIKE 'bench %');

INSERT INTO job (public_id, account_id, user_id, state, stage, version, provider, model, prompt, aspect_ratio,
        duration_s, resolution, metadata, price_micro, currency, charged, attempt_n, progress, provider_job_id,
        output_state, error_code, request_id,
        created_us, updated_us, started_us, finished_us, deadline_us)
    SELECT CONCAT('job_', LEFT(SHA2(CONCAT('job', n), 256), 26)), @account + n MOD 200,
        IF(n MOD 3 = 0, CONCAT('user-', n MOD 1000), NULL), way.state, way.stage, way.steps, 'studio', 'studio-1',
        CONCAT('a paper boat number ', n, ' on a quiet lake at dawn, soft light, slow camera'), '16:9', 5, '480p',
        IF(n MOD 5 = 0, '{"campaign":"spring","scene":"lake"}', NULL), @price, 'USD', way.state = 4, way.attempts,
        IF(way.stage = 5, 40, NULL), IF(way.attempts, CONCAT('video_', LEFT(SHA2(CONCAT('video', n), 256), 32)), NULL),
        IF(way.state = 4, 1, 0), way.error_code, SHA2(CONCAT('request', n), 224),
        created_us, created_us + 20000000, IF(way.steps > 4 OR way.stage = 5, created_us + 5000000, NULL),
        IF(way.state >= 4, created_us + 20000000, NULL),
        IF(way.state >= 4, created_us + 3600000000, @now + 3600000000)
    FROM (SELECT seq AS n, @now - (50020 - seq) * 1728000 AS created_us FROM seq_1_to_50000) t
    JOIN way ON (n DIV 200) MOD 100 >= way.from_n AND (n DIV 200) MOD 100 < way.below_n
    ORDER BY n;

INSERT INTO job_event (job_id, seq, at_us, kind, state, stage, request_id)
    SELECT j.id, s.seq, j.created_us + s.seq * 3000000, s.kind, s.state, s.stage, j.request_id
    FROM job j JOIN way w ON w.state = j.state AND w.error_code <=> j.error_code JOIN step s ON s.way = w.name
    WHERE j.account_id >= @account ORDER BY j.id, s.seq;

INSERT INTO attempt (job_id, n, provider, model, client_ref, callback_token, state, provider_job_id, created_us,
        answered_us)
    SELECT id, 1, provider, model, LEFT(SHA2(CONCAT('ref', id), 256), 32),
        CONCAT('cb_', LEFT(SHA2(CONCAT('token', id), 256), 26)), 2, provider_job_id, created_us + 1000000, created_us + 1100000
    FROM job WHERE attempt_n = 1 AND account_id >= @account ORDER BY id;

INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, stored_us)
    SELECT id, CONCAT(SUBSTR(public_id, 5, 2), '/', public_id, '.mp4'),
        CONCAT(SUBSTR(public_id, 5, 2), '/', public_id, '.jpg'), 400000 + id MOD 100000,
        UNHEX(SHA2(CONCAT('file', id), 256)), 854, 480, 5000, finished_us
    FROM job WHERE state = 4 AND account_id >= @account ORDER BY id;

INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us)
    SELECT id, 0, account_id, 1, price_micro, currency, created_us
    FROM job WHERE account_id >= @account ORDER BY id;
INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us)
    SELECT id, 1, account_id, IF(state = 4, 2, 3), price_micro, currency, finished_us
    FROM job WHERE state >= 4 AND account_id >= @account ORDER BY id;

SOURCE tests/bench/use.sql

INSERT INTO due (kind, job_id, due_us)
    SELECT 3, id, @now + 3000000000 FROM job WHERE state < 4 AND account_id >= @account ORDER BY id;
INSERT INTO due (kind, job_id, due_us)
    SELECT 5, id, deadline_us FROM job WHERE state < 4 AND account_id >= @account ORDER BY id;
COMMIT;
ANALYZE TABLE account, account_use, job, job_event, attempt, output, ledger, due;
