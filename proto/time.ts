/** A point in time as people read it in messages: `2026-11-21T22:41:00Z`. */
export const formatTime = (epochMs: number): string => Temporal.Instant.fromEpochMilliseconds(epochMs).round('second').toString();
