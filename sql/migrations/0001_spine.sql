-- The spine: accounts and keys, jobs with their events, attempts, due work, ledger, callbacks, and the
-- embedded provider's own books (studio_*; no other program may touch those).
--
-- Times are BIGINT microseconds since 1970 UTC (suffix _us); NULL is "never". Ids and tokens are ascii with a
-- binary NOPAD collation: case counts and trailing blanks count. Prompts are utf8mb4.
ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE account (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    name       VARCHAR(100) NOT NULL,
    created_us BIGINT NOT NULL
) ENGINE = InnoDB;

-- digest: keyed BLAKE2b of the key (hash_purpose HASH_API_KEY); the key itself is nowhere.
CREATE TABLE api_key (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account_id INT UNSIGNED NOT NULL,
    digest     BINARY(32) NOT NULL UNIQUE,
    hint       VARCHAR(12) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    label      VARCHAR(100) NOT NULL,
    role       TINYINT UNSIGNED NOT NULL,
    user_id    VARCHAR(128) NULL,
    created_us BIGINT NOT NULL,
    revoked_us BIGINT NULL,
    CONSTRAINT api_key_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT api_key_role CHECK (role IN (1, 2, 3)),
    CONSTRAINT api_key_user CHECK ((role = 2) = (user_id IS NOT NULL))
) ENGINE = InnoDB;

-- A page login. Ends with its key.
CREATE TABLE session (
    digest     BINARY(32) NOT NULL PRIMARY KEY,
    api_key_id INT UNSIGNED NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    CONSTRAINT session_key FOREIGN KEY (api_key_id) REFERENCES api_key (id),
    KEY session_expires (expires_us)
) ENGINE = InnoDB;

-- state and stage are enum job_state and enum job_stage (core/job/job.h); the CHECK holds them together.
CREATE TABLE job (
    id              BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    account_id      INT UNSIGNED NOT NULL,
    user_id         VARCHAR(128) NULL,
    state           TINYINT UNSIGNED NOT NULL,
    stage           TINYINT UNSIGNED NOT NULL,
    version         INT UNSIGNED NOT NULL,
    provider        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    model           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    prompt          VARCHAR(1000) NULL,
    aspect_ratio    VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    duration_s      TINYINT UNSIGNED NOT NULL,
    resolution      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    image_url       VARCHAR(2048) NULL,
    seed            BIGINT NULL,
    metadata        TEXT NULL,
    price_micro     BIGINT NOT NULL,
    currency        CHAR(3) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    attempt_n       TINYINT UNSIGNED NOT NULL DEFAULT 0,
    progress        TINYINT UNSIGNED NULL,
    queue_position  INT UNSIGNED NULL,
    -- Of the current attempt and of the output: here too, so that the poll of a status reads one row.
    provider_job_id VARCHAR(255) COLLATE utf8mb4_nopad_bin NULL,
    output_state    TINYINT UNSIGNED NOT NULL DEFAULT 0,
    cancel_us       BIGINT NULL,
    error_code      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    request_id      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    created_us      BIGINT NOT NULL,
    updated_us      BIGINT NOT NULL,
    started_us      BIGINT NULL,
    finished_us     BIGINT NULL,
    deadline_us     BIGINT NOT NULL,
    deleted_us      BIGINT NULL,
    CONSTRAINT job_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT job_prompt CHECK (prompt IS NOT NULL OR deleted_us IS NOT NULL),
    CONSTRAINT job_output CHECK (output_state = 0 OR (output_state IN (1, 2) AND state = 4)),
    CONSTRAINT job_progress CHECK (progress <= 100),
    CONSTRAINT job_state CHECK ((state = 1 AND stage IN (1, 2, 3)) OR (state = 2 AND stage = 4)
        OR (state = 3 AND stage IN (5, 6)) OR (state IN (4, 5, 6) AND stage = 0)),
    CONSTRAINT job_finished CHECK ((state >= 4) = (finished_us IS NOT NULL)),
    CONSTRAINT job_error CHECK ((state IN (5, 6)) = (error_code IS NOT NULL)),
    KEY job_of_account (account_id, id),
    KEY job_by_state (account_id, state, id),
    KEY job_changed (account_id, updated_us, id),
    KEY job_at_provider (stage, provider, account_id)
) ENGINE = InnoDB;

-- The timeline. seq is per job and grows; data is JSON text for people (never secrets).
CREATE TABLE job_event (
    job_id     BIGINT NOT NULL,
    seq        INT UNSIGNED NOT NULL,
    at_us      BIGINT NOT NULL,
    kind       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    state      TINYINT UNSIGNED NOT NULL,
    stage      TINYINT UNSIGNED NOT NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    data       VARCHAR(2000) NULL,
    PRIMARY KEY (job_id, seq),
    CONSTRAINT job_event_job FOREIGN KEY (job_id) REFERENCES job (id)
) ENGINE = InnoDB;

-- One row per submit, written and committed before the call goes out (state 1 = sending).
CREATE TABLE attempt (
    id              BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job_id          BIGINT NOT NULL,
    n               TINYINT UNSIGNED NOT NULL,
    provider        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    model           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    client_ref      VARCHAR(40) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    callback_token  VARCHAR(40) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    state           TINYINT UNSIGNED NOT NULL,
    provider_job_id VARCHAR(255) COLLATE utf8mb4_nopad_bin NULL,
    created_us      BIGINT NOT NULL,
    answered_us     BIGINT NULL,
    cost_micro      BIGINT NOT NULL DEFAULT 0,
    detail          VARCHAR(500) NULL,
    UNIQUE KEY attempt_of_job (job_id, n),
    UNIQUE KEY attempt_remote (provider, provider_job_id),
    CONSTRAINT attempt_job FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT attempt_state CHECK (state BETWEEN 1 AND 5),
    CONSTRAINT attempt_accepted CHECK ((state = 2) = (provider_job_id IS NOT NULL))
) ENGINE = InnoDB;

-- Work to do. A claim sets owner and moves due_us to the end of the lease; so the one index serves both
-- what is due and what a dead sweeper left behind. Rows exist only while there is something to do.
CREATE TABLE due (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind       TINYINT UNSIGNED NOT NULL,
    job_id     BIGINT NOT NULL,
    due_us     BIGINT NOT NULL,
    owner      BINARY(16) NULL,
    tries      INT UNSIGNED NOT NULL DEFAULT 0,
    UNIQUE KEY due_of_job (job_id, kind),
    KEY due_next (kind, due_us),
    KEY due_owner (owner),
    CONSTRAINT due_job FOREIGN KEY (job_id) REFERENCES job (id)
) ENGINE = InnoDB;

-- The file of a succeeded job; job.output_state says whether it is stored (1) or deleted (2).
CREATE TABLE output (
    job_id      BIGINT NOT NULL PRIMARY KEY,
    video_file  VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    poster_file VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    bytes       BIGINT NOT NULL,
    digest      BINARY(32) NOT NULL,
    width       INT UNSIGNED NOT NULL,
    height      INT UNSIGNED NOT NULL,
    duration_ms INT UNSIGNED NOT NULL,
    stored_us   BIGINT NOT NULL,
    deleted_us  BIGINT NULL,
    CONSTRAINT output_job FOREIGN KEY (job_id) REFERENCES job (id)
) ENGINE = InnoDB;

-- Append-only. side 0: the hold of a job; side 1: its one end (settle or release). The primary key makes twice
-- impossible. A hold is negative, a release gives it back, a settle of the same amount is 0.
CREATE TABLE ledger (
    job_id       BIGINT NOT NULL,
    side         TINYINT UNSIGNED NOT NULL,
    account_id   INT UNSIGNED NOT NULL,
    kind         TINYINT UNSIGNED NOT NULL,
    amount_micro BIGINT NOT NULL,
    currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    at_us        BIGINT NOT NULL,
    PRIMARY KEY (job_id, side),
    KEY ledger_account (account_id, at_us),
    CONSTRAINT ledger_job FOREIGN KEY (job_id) REFERENCES job (id),
    CONSTRAINT ledger_kind CHECK ((side = 0 AND kind = 1) OR (side = 1 AND kind IN (2, 3))),
    CONSTRAINT ledger_amount CHECK (amount_micro >= 0)
) ENGINE = InnoDB;

-- Every callback with its verdict (enum callback_verdict). event_key: keyed hash of provider and event id.
CREATE TABLE callback_receipt (
    id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    provider    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    event_key   BINARY(32) NULL UNIQUE,
    verdict     TINYINT UNSIGNED NOT NULL,
    job_id      BIGINT NULL,
    received_us BIGINT NOT NULL,
    request_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    body        VARBINARY(8192) NULL,
    CONSTRAINT receipt_job FOREIGN KEY (job_id) REFERENCES job (id),
    KEY receipt_of_job (job_id, received_us)
) ENGINE = InnoDB;

-- The first answer to an Idempotency-Key, written in the transaction that created its job.
CREATE TABLE idempotency (
    account_id  INT UNSIGNED NOT NULL,
    key_digest  BINARY(32) NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    job_id      BIGINT NOT NULL,
    answer      MEDIUMBLOB NOT NULL,
    created_us  BIGINT NOT NULL,
    PRIMARY KEY (account_id, key_digest),
    KEY idempotency_age (created_us),
    KEY idempotency_job (job_id)
) ENGINE = InnoDB;

CREATE TABLE heartbeat (
    name  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    at_us BIGINT NOT NULL
) ENGINE = InnoDB;

-- The embedded provider's books. state: enum video_state (fcgi/studio/books.h). A claim sets owner and the end
-- of its lease; expires_us is when a finished video is forgotten.
CREATE TABLE studio_video (
    id             BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id      VARCHAR(48) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    idempotency    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL UNIQUE,
    state          TINYINT UNSIGNED NOT NULL,
    progress       TINYINT UNSIGNED NOT NULL DEFAULT 0,
    model          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    prompt         MEDIUMTEXT NOT NULL,
    seconds        TINYINT UNSIGNED NOT NULL,
    width          SMALLINT UNSIGNED NOT NULL,
    height         SMALLINT UNSIGNED NOT NULL,
    seed           BIGINT NOT NULL,
    image_file     VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    image_url      VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    metadata       TEXT NULL,
    webhook_url    VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    error_code     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    error_message  VARCHAR(500) NULL,
    owner          BINARY(16) NULL,
    lease_us       BIGINT NULL,
    tries          TINYINT UNSIGNED NOT NULL DEFAULT 0,
    created_us     BIGINT NOT NULL,
    completed_us   BIGINT NULL,
    expires_us     BIGINT NULL,
    CONSTRAINT studio_video_state CHECK (state BETWEEN 1 AND 5),
    CONSTRAINT studio_video_lease CHECK ((state = 2) = (lease_us IS NOT NULL)),
    CONSTRAINT studio_video_end CHECK ((state >= 3) = (expires_us IS NOT NULL)),
    CONSTRAINT studio_video_error CHECK (state = 5 OR (state = 4) = (error_code IS NOT NULL)),
    KEY studio_queue (state, id),
    KEY studio_lease (state, lease_us),
    KEY studio_owner (owner),
    KEY studio_expires (expires_us)
) ENGINE = InnoDB;

-- Callbacks still to make: a row goes when it was told or given up. A claim moves due_us past the attempt.
CREATE TABLE studio_delivery (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    event_id   VARCHAR(48) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    video_id   BIGINT NOT NULL,
    url        VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    body       VARCHAR(1000) NOT NULL,
    due_us     BIGINT NOT NULL,
    tries      TINYINT UNSIGNED NOT NULL DEFAULT 0,
    CONSTRAINT studio_delivery_video FOREIGN KEY (video_id) REFERENCES studio_video (id),
    KEY studio_delivery_due (due_us)
) ENGINE = InnoDB;
