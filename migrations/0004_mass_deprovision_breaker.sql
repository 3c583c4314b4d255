CREATE TABLE `access_losses` (
	`tenant_id` text NOT NULL,
	`slot` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `slot`)
);
--> statement-breakpoint
CREATE TABLE `breakers` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`enabled` integer NOT NULL,
	`threshold` integer NOT NULL,
	`window_minutes` integer NOT NULL,
	`losses` integer NOT NULL,
	`tripped_at` integer,
	`round` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `held_deletions` (
	`tenant_id` text NOT NULL,
	`serial` integer NOT NULL,
	`user_id` text NOT NULL,
	`connection_id` text NOT NULL,
	`at` integer NOT NULL,
	`active` integer NOT NULL,
	`group_ids` text NOT NULL,
	`round` integer NOT NULL,
	`kept_because` text,
	PRIMARY KEY(`tenant_id`, `serial`)
);
