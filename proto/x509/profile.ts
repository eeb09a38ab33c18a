/** Certificates begin this long before they are made, for nodes whose clocks are a little behind. */
export const certificateBackdateMs = 3_600_000;

/** Clocks of two nodes that differ by more break certificates, heartbeats and logs: joining is refused. */
export const maxClockSkewMs = 5 * 60_000;
