CREATE TABLE `tenant_resource_types` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`document` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `tenants` ADD `configured` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `tenants` SET `configured` = 1 WHERE EXISTS (SELECT 1 FROM `tenant_schemas` s WHERE s.`tenant_id` = `tenants`.`tenant_id`);
