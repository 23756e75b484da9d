"""What is shown beside a contact: who he is in the other system and what that knows of him, to whom it may be shown."""
from systemlib import Site, wait_until


def block(context, item, kind="contact"):
    for system in context["systems"]:
        for record in system["records"]:
            if record["kind"] != kind:
                continue
            for found in record["blocks"]:
                if found["item"] == item:
                    return found
    return None


def fields(record):
    return {f["path"]: f["value"] for f in record["fields"]}


def test_contact_is_shown_as_the_crm_has_him():
    """proves: S1-01 S1-04 S1-56 S1-59 S1-60"""
    with Site("--contacts", 20, "--accounts", 4, "--plan", "plain") as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        contact = sorted(site.desk())[0]
        [shown] = site.list("contact", "context", contact)
        assert shown["requester"]["id"] == contact and shown["state"] == "shown"
        [system] = shown["systems"]
        assert (system["connection"], system["endpoint"], system["state"]) == ("demo", "sf", "shown")
        person = next(r for r in system["records"] if r["kind"] == "contact")
        assert person["found_by"] == "pair" and person["id"] in site.salesforce()
        assert person["id"] in person["url"]
        about = block(shown, "information")
        assert about["state"] == "shown" and about["asked"]
        assert fields(about["records"][0])["last_name"] == site.salesforce()[person["id"]]["LastName"]

        # asked for once a minute, however many look
        [again] = site.list("contact", "context", contact)
        assert block(again, "information")["asked"] == about["asked"]
        text = site.run("contact", "context", contact).stdout
        assert person["url"] in text and site.salesforce()[person["id"]]["LastName"] in text

        # the same as a page: whole without a script, and what people wrote is no markup
        page = site.api("GET", f"/api/v1/context/contact/{contact}/page?lang=ru")
        assert page.type.startswith("text/html") and "script" not in page.body.decode()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "Сведения" in page.body.decode() and f'href="{person["url"]}"' in page.body.decode()
        assert "grid" in site.api("GET", "/api/v1/context.css").body.decode()

        unknown = site.run("contact", "context", "999999999", check=False)
        assert unknown.returncode == 4 and "999999999" in unknown.stderr

        # paused: shown all the same; disabled: nothing of it; deleted: not even its name
        site.run("connection", "pause", "demo")
        [paused] = site.list("contact", "context", contact)
        assert block(paused, "information")["state"] == "shown" and "paused" in paused["systems"][0]["text"]
        site.run("connection", "disable", "demo", "-y")
        [disabled] = site.list("contact", "context", contact)
        assert disabled["systems"][0]["state"] == "disabled" and disabled["systems"][0]["records"] == []
        site.run("connection", "delete", "demo", "-y")
        [deleted] = site.list("contact", "context", contact)
        assert deleted["systems"] == []


def test_slow_vendor_keeps_nobody_waiting():
    """A block whose vendor has not answered in time is late, and there for the next who asks."""
    with Site("--contacts", 10, "--accounts", 2, "--plan", "plain") as site:
        site.start()
        site.sign_in()
        site.connect("every=60s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        contact = sorted(site.desk())[0]
        site.sandbox.fault("delay", twin="salesforce", ms=1500)
        answer = site.api("GET", f"/api/v1/context/contact/{contact}?wait_ms=200").json
        assert block(answer, "information")["state"] == "late"
        answer = site.api("GET", f"/api/v1/context/contact/{contact}?wait_ms=8000").json
        assert block(answer, "information")["state"] == "shown"


def items(context, kind="contact"):
    return {b["item"] for s in context["systems"] for r in s["records"] if r["kind"] == kind for b in r["blocks"]}


def test_light_agents_see_no_opportunities():
    """proves: S1-03 S1-28 S1-30 S1-31 S1-33 S1-34 S1-35 S1-36 S1-57 S1-58"""
    with Site("--contacts", 10, "--accounts", 2, "--plan", "plain") as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        wait_until(lambda: [p for p in site.list("profile", "list", "demo") if p["name"] == "Light Agent"], 60,
                   "the profiles of the desk are known")
        contact = next(key for key, one in sorted(site.desk().items()) if one.get("accountId"))
        [shown] = site.list("contact", "context", contact)
        person = next(r["id"] for r in shown["systems"][0]["records"] if r["kind"] == "contact")
        deal = site.sandbox.create("salesforce", "Opportunity", {"Name": "Secret renewal", "StageName": "Prospecting",
                                                                 "CloseDate": "2027-06-01"})
        site.sandbox.create("salesforce", "OpportunityContactRole", {"OpportunityId": deal["id"], "ContactId": person})
        site.sandbox.create("salesforce", "Task", {"Subject": "Call him back", "WhoId": person})
        site.sandbox.create("salesforce", "Event", {"Subject": "Visit", "WhoId": person,
                                                    "StartDateTime": "2026-12-01T10:00:00.000+0000",
                                                    "EndDateTime": "2026-12-01T11:00:00.000+0000"})

        def seen(*more):
            return site.list("contact", "context", contact, *more)[0]

        # what was answered a moment ago is used again, and the first look was before
        other = next(key for key in sorted(site.desk()) if key != contact)
        assert {"information", "deal", "note", "task", "event"} <= items(site.list("contact", "context", other)[0])
        wait_until(lambda: [r["name"] for r in block(seen(), "deal")["records"]] == ["Secret renewal"], 90,
                   "the opportunity is shown")
        assert [r["name"] for r in block(seen(), "task")["records"]] == ["Call him back"]
        light = ("--profile", "Light Agent")
        assert "deal" in items(seen(*light))
        site.run("profile", "set", "demo", "Light Agent", "contact", "deal=off")
        assert items(seen(*light)) == items(seen()) - {"deal"}
        assert "Secret renewal" not in site.run("contact", "context", contact, *light).stdout
        site.run("profile", "set", "demo", "Light Agent", "contact", "event=off")
        assert {"task"} <= items(seen(*light)) and "event" not in items(seen(*light))
        site.run("profile", "set", "demo", "Light Agent", "contact", "information=off")
        assert "information" not in items(seen(*light)) and "task" in items(seen(*light))
        site.run("profile", "set", "demo", "Light Agent", "contact", "none")
        assert not items(seen(*light)) and items(seen(*light), "account")
        site.run("profile", "set", "demo", "Light Agent", "integration", "none")
        assert seen(*light)["systems"] == [] and seen()["systems"]
