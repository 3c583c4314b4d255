CREATE TABLE `tenant_schemas` (
	`tenant_id` text NOT NULL,
	`urn` text NOT NULL,
	`extends` text NOT NULL,
	`document` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `urn`)
) WITHOUT ROWID;
--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_aborts` (
	`tenant_id` text NOT NULL,
	`reason` text NOT NULL,
	CONSTRAINT "stale_version" CHECK("__new_aborts"."reason" <> 'stale_version'),
	CONSTRAINT "unknown_member" CHECK("__new_aborts"."reason" <> 'unknown_member'),
	CONSTRAINT "stale_configuration" CHECK("__new_aborts"."reason" <> 'stale_configuration'),
	CONSTRAINT "no_reason" CHECK(0)
);
--> statement-breakpoint
INSERT INTO `__new_aborts`("tenant_id", "reason") SELECT "tenant_id", "reason" FROM `aborts`;--> statement-breakpoint
DROP TABLE `aborts`;--> statement-breakpoint
ALTER TABLE `__new_aborts` RENAME TO `aborts`;--> statement-breakpoint
PRAGMA foreign_keys=ON;