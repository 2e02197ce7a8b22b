-- Outgoing webhooks: who wants to hear, with which secrets it is signed, what was to be told (the outbox), and what
-- became of each telling.

-- Where a job itself wants to be told of, besides the account's endpoints.
ALTER TABLE job
    ADD COLUMN callback_url VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL AFTER image_url;

-- events: bits of enum notify_type (core/notify/notify.h); 0: all there are, also those to come. disabled_reason:
-- enum endpoint_end. A deleted row stays for as long as the log speaks of it.
CREATE TABLE webhook_endpoint (
    id               INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    account_id       INT UNSIGNED NOT NULL,
    url              VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    events           INT UNSIGNED NOT NULL,
    description      VARCHAR(200) NOT NULL,
    created_us       BIGINT NOT NULL,
    -- Since when every try has failed.
    failing_since_us BIGINT NULL,
    disabled_us      BIGINT NULL,
    disabled_reason  TINYINT UNSIGNED NOT NULL DEFAULT 0,
    deleted_us       BIGINT NULL,
    CONSTRAINT webhook_endpoint_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT webhook_endpoint_disabled CHECK ((disabled_us IS NOT NULL) = (disabled_reason > 0)),
    KEY webhook_endpoint_of_account (account_id, id)
) ENGINE = InnoDB;

-- In the clear: it must be signed with, and shown to its owner. endpoint_id NULL: the account's, for what jobs' own
-- callback URLs are told. All that are not over sign.
CREATE TABLE webhook_secret (
    id          INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account_id  INT UNSIGNED NOT NULL,
    endpoint_id INT UNSIGNED NULL,
    secret      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    created_us  BIGINT NOT NULL,
    expires_us  BIGINT NULL,
    CONSTRAINT webhook_secret_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT webhook_secret_endpoint FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
    KEY webhook_secret_of (account_id, endpoint_id, id),
    KEY webhook_secret_expires (expires_us)
) ENGINE = InnoDB;

-- The outbox: one row per event that somebody wants to hear of, written in the transaction that made it happen.
-- payload is what goes over the wire, frozen; sequence is the job's version then. job_id NULL: a test.
CREATE TABLE webhook_message (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    account_id INT UNSIGNED NOT NULL,
    job_id     BIGINT NULL,
    sequence   INT UNSIGNED NOT NULL,
    type       TINYINT UNSIGNED NOT NULL,
    created_us BIGINT NOT NULL,
    payload    TEXT NOT NULL,
    CONSTRAINT webhook_message_job FOREIGN KEY (job_id) REFERENCES job (id),
    KEY webhook_message_of_job (job_id, id),
    KEY webhook_message_age (created_us)
) ENGINE = InnoDB;

-- One message to one place. state: enum delivery_state. While it is pending, due_us is when it goes out next, or the
-- end of its owner's lease. lane: who shares a queue (core/notify/notify.h). No foreign keys to endpoint and account:
-- every move of a job would lock their rows.
CREATE TABLE webhook_delivery (
    id             BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    message_id     BIGINT NOT NULL,
    account_id     INT UNSIGNED NOT NULL,
    endpoint_id    INT UNSIGNED NULL,
    job_id         BIGINT NULL,
    -- Of a job's own callback; an endpoint's is read when it is sent.
    url            VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    lane           BIGINT NOT NULL,
    state          TINYINT UNSIGNED NOT NULL,
    due_us         BIGINT NOT NULL,
    owner          BINARY(16) NULL,
    -- Since it was made, or last asked for again; and all there ever were.
    tries          INT UNSIGNED NOT NULL DEFAULT 0,
    attempt_n      INT UNSIGNED NOT NULL DEFAULT 0,
    created_us     BIGINT NOT NULL,
    redelivered_us BIGINT NULL,
    last_at_us     BIGINT NULL,
    last_status    SMALLINT UNSIGNED NULL,
    last_excerpt   VARCHAR(500) NULL,
    CONSTRAINT webhook_delivery_message FOREIGN KEY (message_id) REFERENCES webhook_message (id) ON DELETE CASCADE,
    CONSTRAINT webhook_delivery_state CHECK (state BETWEEN 1 AND 4),
    CONSTRAINT webhook_delivery_place CHECK ((endpoint_id IS NULL) = (url IS NOT NULL)),
    KEY webhook_delivery_queue (state, account_id, lane, due_us),
    KEY webhook_delivery_due (state, due_us),
    KEY webhook_delivery_owner (owner),
    KEY webhook_delivery_of_job (job_id, lane, id),
    KEY webhook_delivery_of_account (account_id, id),
    KEY webhook_delivery_of_endpoint (endpoint_id, id)
) ENGINE = InnoDB;

-- What each try brought: status NULL when there was no answer, excerpt then says why.
CREATE TABLE webhook_attempt (
    delivery_id BIGINT NOT NULL,
    n           INT UNSIGNED NOT NULL,
    at_us       BIGINT NOT NULL,
    took_ms     INT UNSIGNED NOT NULL,
    status      SMALLINT UNSIGNED NULL,
    excerpt     VARCHAR(500) NULL,
    PRIMARY KEY (delivery_id, n),
    CONSTRAINT webhook_attempt_delivery FOREIGN KEY (delivery_id) REFERENCES webhook_delivery (id) ON DELETE CASCADE
) ENGINE = InnoDB;
