-- What the pending times of these books were written by: one row for each boot of a host. offset_us is UTC minus the time
-- since that boot, which never jumps; so a jump of UTC is told from time that went by (core/job/clock.h). least_us: the
-- lowest it has been. back_*: the last jump back, from which reading to which. seen_us: by that clock, when the host last
-- gave a sign.
CREATE TABLE clock (
    boot_id      VARCHAR(36) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
    offset_us    BIGINT NOT NULL,
    least_us     BIGINT NOT NULL,
    back_from_us BIGINT NULL,
    back_to_us   BIGINT NULL,
    seen_us      BIGINT NOT NULL
) ENGINE = InnoDB;

-- The same for the embedded provider's books.
CREATE TABLE studio_clock LIKE clock;

-- By how much the clock has jumped since created_us, while the job was under way: history stays as it was said.
ALTER TABLE attempt
    ADD COLUMN jumped_us BIGINT NOT NULL DEFAULT 0 AFTER created_us;
