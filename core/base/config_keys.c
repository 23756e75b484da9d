/* Every key of the INI: the one table behind checks, defaults, `config explain`, `config schema` and the sample. */
#include <stddef.h>

#include "config.h"
#include "times.h"

#define KIB    INT64_C(1024)
#define MIB    (KIB * 1024)
#define SECOND US_PER_S
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    US_PER_DAY

const struct config_key config_keys[] = {
    {"core", "state_dir", CONFIG_PATH, "/var/lib/tieline", NULL, 0, 0, RELOAD_DAEMON,
     "Directory of the database, of staged connectors and of backups. Belongs to the daemon's user, mode 0700."},
    {"core", "key_file", CONFIG_PATH, "/etc/tieline/tieline.key", NULL, 0, 0, RELOAD_DAEMON,
     "Key that seals secrets in the database: 32 bytes or 64 hex digits, mode 0400. A systemd credential named "
     "\"tieline.key\" wins over it."},
    {"core", "worker", CONFIG_PATH, NULL, NULL, 0, 0, RELOAD_DAEMON,
     "Path of tieline-worker. Default: beside tielined, then the libexec directory."},
    {"core", "development", CONFIG_BOOL, "no", NULL, 0, 0, RELOAD_DAEMON,
     "yes lets connectors belong to the daemon's own user and allows plain http to loopback: for the demo, tests and "
     "connector authors. Shown loudly by \"tieline status\"."},
    {"core", "redirect_uri", CONFIG_URL, "http://localhost:8447/tieline", NULL, 0, 0, RELOAD_LIVE,
     "Where a vendor sends the browser back to after a sign-in; register the very same text there. On localhost "
     "\"tieline "
     "endpoint auth\" listens for it; from an https address of yours it is pasted."},

    {"api", "socket", CONFIG_PATH, "/run/tieline/tieline.sock", NULL, 0, 0, RELOAD_DAEMON,
     "UNIX socket of the API; the \"tieline\" command speaks to it."},
    {"api", "group", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_DAEMON,
     "Members of this group may use the socket beside root and the daemon's own user, who must be a member too "
     "(with the unit: SupplementaryGroups=)."},
    {"api", "listen", CONFIG_ADDRESS, "off", NULL, 0, 0, RELOAD_DAEMON,
     "Address where the API is served to bearers of a token (\"tieline token create\") as well, for example "
     "127.0.0.1:8440. Put a TLS proxy in front: tokens are sent in the clear."},
    {"api", "token_rate", CONFIG_INT, "600", NULL, 1, 60000, RELOAD_DAEMON,
     "Requests a minute of one token; more are answered 429."},

    {"http", "proxy", CONFIG_URL, NULL, NULL, 0, 0, RELOAD_DAEMON,
     "Proxy for calls to vendors, for example http://proxy:3128."},
    {"http", "ca_file", CONFIG_PATH, NULL, NULL, 0, 0, RELOAD_DAEMON,
     "Trusted certificates (PEM). Default: the system's."},
    {"http", "connect_timeout", CONFIG_DURATION, "10s", NULL, SECOND / 10, 5 * MINUTE, RELOAD_DAEMON,
     "How long connecting to a vendor may take."},
    {"http", "timeout", CONFIG_DURATION, "60s", NULL, SECOND / 10, 15 * MINUTE, RELOAD_DAEMON,
     "How long one call to a vendor may take in all."},
    {"http", "max_body", CONFIG_SIZE, "15m", NULL, 64 * KIB, 15 * MIB, RELOAD_DAEMON,
     "Largest answer that is read into memory."},
    {"http", "max_answers", CONFIG_SIZE, "64m", NULL, MIB, 1024 * MIB, RELOAD_DAEMON,
     "How much memory the answers to what a connector asks for at once may take together."},

    {"hooks", "listen", CONFIG_ADDRESS, "off", NULL, 0, 0, RELOAD_DAEMON,
     "Address of the webhook listener, for example 127.0.0.1:8441. It serves only /hooks/; put a TLS proxy in front."},
    {"hooks", "public_url", CONFIG_URL, NULL, NULL, 0, 0, RELOAD_LIVE,
     "How vendors reach the listener, for example https://hooks.example.com. When set, connectors subscribe by "
     "themselves; else \"tieline webhook url\" prints what to enter at the vendor."},
    {"hooks", "max_per_address", CONFIG_INT, "0", NULL, 0, 256, RELOAD_DAEMON,
     "Connections to the webhook listener from one address at once, of 256 in all; 0: no limit. Leave it 0 behind a "
     "proxy, which is one address; 16 is plenty where vendors connect directly."},

    {"store", "durability", CONFIG_CHOICE, "full", "full,normal", 0, 0, RELOAD_DAEMON,
     "full: a commit survives power loss. normal: the last commits may be lost then, never the database."},
    {"store", "cache", CONFIG_SIZE, "16m", NULL, MIB, 4096 * MIB, RELOAD_DAEMON, "Page cache of the writer."},
    {"store", "backup_every", CONFIG_DURATION, "6h", NULL, 0, 365 * DAY, RELOAD_DAEMON,
     "How often the database is copied while everything goes on; 0s: never by itself. \"tieline status\" tells the age "
     "of the last good one."},
    {"store", "backup_keep", CONFIG_INT, "8", NULL, 1, 10000, RELOAD_DAEMON,
     "How many of these copies are kept; older ones are removed after a good one."},
    {"store", "backup_dir", CONFIG_PATH, NULL, NULL, 0, 0, RELOAD_DAEMON,
     "Where they are put, best on another disk, writable for the daemon's user (with the unit: ReadWritePaths). "
     "Default: \"backups\" in the state directory."},

    {"log", "level", CONFIG_CHOICE, "info", "debug,info,warn,error", 0, 0, RELOAD_LIVE,
     "Least important line that is written."},
    {"log", "format", CONFIG_CHOICE, "text", "text,json,journal", 0, 0, RELOAD_LIVE,
     "Form of log lines on stderr; journal adds the priority prefix that systemd reads."},

    {"retention", "history", CONFIG_DURATION, "30d", NULL, DAY, 3650 * DAY, RELOAD_LIVE,
     "How long runs and changes are kept; \"sync history\" shows 7 days by default."},
    {"retention", "failures", CONFIG_DURATION, "90d", NULL, DAY, 3650 * DAY, RELOAD_LIVE,
     "How long failures that are resolved are kept."},
    {"retention", "deliveries", CONFIG_DURATION, "24h", NULL, HOUR, 30 * DAY, RELOAD_LIVE,
     "How long a webhook delivery is known as already seen."},

    {"retention", "tombstones", CONFIG_DURATION, "90d", NULL, DAY, 3650 * DAY, RELOAD_LIVE,
     "How long a pair is remembered whose records were deleted on both sides, a former record of a pair that is gone, "
     "and "
     "a pair of a passport whose records do not come."},
    {"retention", "inbox", CONFIG_DURATION, "30d", NULL, DAY, 30 * DAY, RELOAD_LIVE,
     "How long a webhook delivery is kept that could not be settled, and what one said that nobody reads."},
    {"retention", "audit", CONFIG_DURATION, "730d", NULL, 30 * DAY, 3650 * DAY, RELOAD_LIVE,
     "How long it is kept who did what; \"audit verify\" proves the rest when the oldest is forgotten."},
    {"retention", "delete_grace", CONFIG_DURATION, "7d", NULL, HOUR, 365 * DAY, RELOAD_LIVE,
     "How long a deleted connection can be taken back (\"connection undelete\") before its pairs and failures go."},

    {"connectors", "dir", CONFIG_PATH, NULL, NULL, 0, 0, RELOAD_DAEMON,
     "Directory of connector files NAME.so. Default: the directory of installation."},
    {"connectors", "enable", CONFIG_LIST, "", NULL, 0, 0, RELOAD_CONNECTOR,
     "Connectors loaded at start, comma separated."},
    {"connectors", "isolation.*", CONFIG_CHOICE, "worker", "worker,endpoint,inprocess", 0, 0, RELOAD_CONNECTOR,
     "Where a connector runs: in one worker process, in one per endpoint, or inside the daemon."},
    {"connectors", "hosts.*", CONFIG_LIST, NULL, NULL, 0, 0, RELOAD_CONNECTOR,
     "Hosts a connector may reach, of those it declares (\"connector show\"); added to what \"connector load -y\" "
     "accepted."},
    {"connectors", "worker_memory", CONFIG_SIZE, "1g", NULL, 64 * MIB, 64 * 1024 * MIB, RELOAD_DAEMON,
     "Address space of a worker process; what asks for more is told there is none."},
    {"connectors", "max_threads", CONFIG_INT, "16", NULL, 3, 256, RELOAD_DAEMON,
     "Calls of one connector at once, over all its endpoints; each takes a thread."},
    {"connectors", "agent_calls", CONFIG_INT, "4", NULL, 1, 64, RELOAD_DAEMON,
     "Calls at once to one endpoint that a person waits for, beside its sweeps and its changes."},
    {"connectors", "max_requests", CONFIG_INT, "8", NULL, 2, 256, RELOAD_DAEMON,
     "Requests at once to one endpoint's vendor; a quarter is kept for calls that a person waits for."},

    {"endpoint", "connector", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_CONNECTOR,
     "Connector of this account; its options follow as further keys (see \"tieline connector show NAME\")."},

    {"endpoint", "daily_calls", CONFIG_INT, NULL, NULL, 1, 100000000, RELOAD_CONNECTOR,
     "Most connector calls a day (UTC) to this account, where its vendor's own limit is higher or not told. Default: "
     "the "
     "vendor's limit alone."},
    {"endpoint", "reserve_pct", CONFIG_INT, "20", NULL, 0, 90, RELOAD_CONNECTOR,
     "Share of every allowance in percent that is left to your other tools and never used. Sweeps, retries and first "
     "syncs "
     "stop at three quarters of the rest."},
    {"endpoint", "mirror", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_CONNECTOR,
     "Kinds to read beside those of links, comma separated: ticket. A help desk's agents, profiles and departments are "
     "read always."},

    {"connection", "a", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE, "First endpoint of the connection."},
    {"connection", "b", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE, "Second endpoint of the connection."},

    {"link", "direction", CONFIG_CHOICE, "both", "both,a2b,b2a", 0, 0, RELOAD_LIVE, "Which way changes travel."},
    {"link", "policy", CONFIG_CHOICE, "newest", "newest,a,b,manual", 0, 0, RELOAD_LIVE,
     "Who wins when both sides changed one field: the later change, or always one side."},
    {"link", "master", CONFIG_CHOICE, NULL, "a,b", 0, 0, RELOAD_LIVE,
     "Side that settles ties. Default: the side whose system is a CRM."},
    {"link", "view.a", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE, "List view that limits side a, by the vendor's id."},
    {"link", "view.b", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE, "List view that limits side b, by the vendor's id."},
    {"link", "created_within", CONFIG_DURATION, NULL, "off", DAY, 36500 * DAY, RELOAD_LIVE,
     "Only records created within this time before the first sync are brought over. Default: the connectors'."},
    {"link", "window", CONFIG_CHOICE, "fixed", "fixed,sliding", 0, 0, RELOAD_LIVE,
     "Where created_within begins: fixed at the first sync, or moving on with the calendar. What is paired stays in "
     "step "
     "either way."},
    {"link", "deps", CONFIG_CHOICE, "admit", "admit,leave", 0, 0, RELOAD_LIVE,
     "A record from before the window that one inside refers to: brought over too, or left."},
    {"link", "every", CONFIG_DURATION, "60s", NULL, SECOND, 7 * DAY, RELOAD_LIVE, "How often changes are asked for."},
    {"link", "quiet_hours", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE,
     "Hours of the day in which only what people change is carried over; sweeps and first syncs rest then. For example "
     "08:00-18:00 America/Sao_Paulo; a range may go over midnight. Default: none."},
    {"link", "share", CONFIG_INT, "1", NULL, 1, 100, RELOAD_LIVE,
     "How many calls the link has in a row while other links wait for the same endpoint: with 3 it gets three for one "
     "of "
     "a link with 1."},
    {"link", "drift", CONFIG_CHOICE, "leave", "leave,revert,report", 0, 0, RELOAD_LIVE,
     "One-way link: what happens when somebody edits the target: left alone, put back, or reported."},
    {"link", "restore_on", CONFIG_CHOICE, "update", "update,read_or_update,never", 0, 0, RELOAD_LIVE,
     "A record deleted on one side comes back when its counterpart is updated, already when it is read, or never."},
    {"link", "delete", CONFIG_CHOICE, "keep", "keep,propagate,a2b,b2a", 0, 0, RELOAD_LIVE,
     "What a deletion does to the counterpart: nothing, or it is deleted too, both ways or one way only. Only a "
     "deletion "
     "that the vendor itself tells of counts, and only while nobody has changed the counterpart since."},
    {"link", "fallback.a", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE,
     "Who stands in on side a for those without a pair, wherever records refer to them, by match key: of a link of "
     "users the e-mail of who owns what belongs to somebody unknown there."},
    {"link", "fallback.b", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE, "The same for side b."},
    {"link", "max_changes", CONFIG_TEXT, "20%", NULL, 0, 0, RELOAD_LIVE,
     "How many records one run of changes may write: a number, a share of the pairs (500 at least), or off. One that "
     "would write more stops before, and waits for a release. A first sync and an undo are not counted."},
    {"link", "match", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE,
     "Field by which a record finds its counterpart, or off. Default: e-mail of contacts, name of accounts and "
     "products."},
    {"link", "match_multi", CONFIG_CHOICE, "fail", "fail,oldest,newest", 0, 0, RELOAD_LIVE,
     "What to do when several records match: report it, or take the oldest or newest."},
    {"link", "quiet", CONFIG_BOOL, "yes", NULL, 0, 0, RELOAD_LIVE,
     "Ask the vendor not to run automations and notifications for writes of the first sync."},
    {"link", "enabled", CONFIG_BOOL, "yes", NULL, 0, 0, RELOAD_LIVE, "no rests the link and keeps its pairs."},
    {"link", "a_kind", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE,
     "Kind on side a, where it is not the link's own name."},
    {"link", "b_kind", CONFIG_TEXT, NULL, NULL, 0, 0, RELOAD_LIVE,
     "Kind on side b, where it is not the link's own name."},
};
const int config_key_count = (int)ARRAY_LEN(config_keys);
