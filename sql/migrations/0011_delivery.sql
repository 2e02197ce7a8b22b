-- Links that an owner gives away, and what an ingest waits for.

-- digest: keyed hash of the token in the link, which is told once and kept nowhere. It works until it ends or is revoked.
CREATE TABLE share (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    public_id  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL UNIQUE,
    job_id     BIGINT NOT NULL,
    digest     BINARY(32) NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    revoked_us BIGINT NULL,
    CONSTRAINT share_job FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE,
    KEY share_of_job (job_id, id),
    KEY share_expires (expires_us)
) ENGINE = InnoDB;


-- Jobs whose file our own store could not take, as long as their stage is storing. forgotten_us: when the provider gives its
-- copy up (NULL: not known); urgent_us: when little is left of that time; warned_us: the log has said so.
CREATE TABLE storage_wait (
    job_id       BIGINT NOT NULL PRIMARY KEY,
    since_us     BIGINT NOT NULL,
    forgotten_us BIGINT NULL,
    urgent_us    BIGINT NULL,
    warned_us    BIGINT NULL,
    CONSTRAINT storage_wait_job FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE
) ENGINE = InnoDB;
