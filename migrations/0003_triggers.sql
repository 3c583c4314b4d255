-- Who is whose manager, by an index; and of a manager only the id is kept, as the rest is said anew each time.
INSERT OR IGNORE INTO `lookups` (`tenant_id`, `type`, `attribute`, `scope`, `value`, `resource_id`, `is_unique`)
SELECT `tenant_id`, `type`, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value', '',
  json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."value"'), `id`, 0
FROM `resources` WHERE `type` = 'User' AND
  ifnull(json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."value"') <> '', 0);
--> statement-breakpoint
UPDATE `resources` SET
  `document` = json_remove(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."$ref"'),
  `comparable` = json_remove(`comparable`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."$ref"')
WHERE `type` = 'User' AND
  json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."value"') IS NOT NULL AND
  json_extract(`document`, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"."manager"."$ref"') IS NOT NULL;
--> statement-breakpoint
-- Whose sessions were ended so far.
INSERT INTO `revocations`
	SELECT `tenant_id`, `user_id`, max(`sequence`),
		coalesce(`data` ->> '$.notBefore', `occurred_at` / 1000), coalesce(`data` ->> '$.epoch', 0),
		coalesce(`data` ->> '$.reason', substr(`type`, 6)), `occurred_at`, `data` ->> '$.user.userName',
		`data` ->> '$.user.externalId', iif(`type` = 'user.deleted', `occurred_at`, NULL)
	FROM `events` WHERE `user_id` IS NOT NULL AND `data` ->> '$.sessions' = 'revoke_all'
	GROUP BY `tenant_id`, `user_id`;
--> statement-breakpoint
-- And from now on: each event that ends somebody's sessions, in its own transaction. What an event lacks is made up
-- for: a revocation must not fail because of this table.
CREATE TRIGGER `events_revocation` AFTER INSERT ON `events`
	WHEN NEW.`user_id` IS NOT NULL AND NEW.`data` ->> '$.sessions' = 'revoke_all'
BEGIN
	INSERT INTO `revocations` VALUES (NEW.`tenant_id`, NEW.`user_id`, NEW.`sequence`,
		coalesce(NEW.`data` ->> '$.notBefore', NEW.`occurred_at` / 1000), coalesce(NEW.`data` ->> '$.epoch', 0),
		coalesce(NEW.`data` ->> '$.reason', substr(NEW.`type`, 6)), NEW.`occurred_at`,
		NEW.`data` ->> '$.user.userName', NEW.`data` ->> '$.user.externalId',
		iif(NEW.`type` = 'user.deleted', NEW.`occurred_at`, NULL))
	ON CONFLICT (`tenant_id`, `user_id`) DO UPDATE SET `sequence` = excluded.`sequence`,
		`not_before` = excluded.`not_before`, `epoch` = excluded.`epoch`, `reason` = excluded.`reason`,
		`at` = excluded.`at`, `user_name` = excluded.`user_name`, `external_id` = excluded.`external_id`,
		`deleted_at` = excluded.`deleted_at`;
END;
--> statement-breakpoint
CREATE TRIGGER `pending_members_come` AFTER INSERT ON `pending_members` BEGIN
	INSERT INTO `pending_totals` (`tenant_id`, `live`) VALUES (NEW.`tenant_id`, 1)
		ON CONFLICT DO UPDATE SET `live` = `live` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `pending_members_go` AFTER DELETE ON `pending_members` BEGIN
	UPDATE `pending_totals` SET `live` = `live` - 1 WHERE `tenant_id` = OLD.`tenant_id`;
END;
--> statement-breakpoint
-- What there is already.
UPDATE `totals` SET `active` = (SELECT count(*) FROM `resources` r WHERE r.`tenant_id` = `totals`.`tenant_id`
	AND r.`type` = `totals`.`type` AND r.`scope` = `totals`.`scope` AND r.`active` = 1);
--> statement-breakpoint
UPDATE `deliveries` SET `ends_sessions` = 1,
		`watch_from` = iif(`state` IN ('pending', 'retrying'), `occurred_at`, NULL)
	WHERE (SELECT e.`data` ->> '$.sessions' FROM `events` e
		WHERE e.`tenant_id` = `deliveries`.`tenant_id` AND e.`sequence` = `deliveries`.`sequence`) = 'revoke_all';
--> statement-breakpoint
INSERT INTO `delivery_totals`
	SELECT `tenant_id`, `receiver_id`, sum(`state` = 'pending'), sum(`state` = 'retrying'), sum(`state` = 'delivered'),
		sum(`state` = 'dead'), 0
	FROM `deliveries` GROUP BY `tenant_id`, `receiver_id`;
--> statement-breakpoint
-- And from now on: in the transaction of each change, whoever makes it.
CREATE TRIGGER `deliveries_come` AFTER INSERT ON `deliveries` BEGIN
	INSERT INTO `delivery_totals` VALUES (NEW.`tenant_id`, NEW.`receiver_id`, NEW.`state` = 'pending',
		NEW.`state` = 'retrying', NEW.`state` = 'delivered', NEW.`state` = 'dead', NEW.`overdue`)
	ON CONFLICT DO UPDATE SET `pending` = `pending` + excluded.`pending`, `retrying` = `retrying` + excluded.`retrying`,
		`delivered` = `delivered` + excluded.`delivered`, `dead` = `dead` + excluded.`dead`,
		`overdue` = `overdue` + excluded.`overdue`;
END;
--> statement-breakpoint
CREATE TRIGGER `deliveries_move` AFTER UPDATE OF `state`, `overdue` ON `deliveries`
	WHEN NEW.`state` <> OLD.`state` OR NEW.`overdue` <> OLD.`overdue`
BEGIN
	UPDATE `delivery_totals` SET `pending` = `pending` + (NEW.`state` = 'pending') - (OLD.`state` = 'pending'),
		`retrying` = `retrying` + (NEW.`state` = 'retrying') - (OLD.`state` = 'retrying'),
		`delivered` = `delivered` + (NEW.`state` = 'delivered') - (OLD.`state` = 'delivered'),
		`dead` = `dead` + (NEW.`state` = 'dead') - (OLD.`state` = 'dead'),
		`overdue` = `overdue` + NEW.`overdue` - OLD.`overdue`
	WHERE `tenant_id` = NEW.`tenant_id` AND `receiver_id` = NEW.`receiver_id`;
END;
--> statement-breakpoint
-- The first receipt of an end of sessions is its kill time; a replay changes neither. The bucket of src/storage/kill-times.ts.
CREATE TRIGGER `deliveries_kill` AFTER UPDATE OF `state` ON `deliveries`
	WHEN NEW.`state` = 'delivered' AND OLD.`delivered_at` IS NULL AND NEW.`ends_sessions` = 1
BEGIN
	INSERT INTO `kill_times` VALUES (NEW.`tenant_id`, NEW.`delivered_at` / 3600000, NEW.`receiver_id`,
		CAST(ceil(ln(max(NEW.`delivered_at` - NEW.`occurred_at`, 1)) / ln(1.2)) AS INTEGER), 1)
	ON CONFLICT DO UPDATE SET `count` = `count` + 1;
END;
