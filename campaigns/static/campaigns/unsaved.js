/*
 * Forms of the admin: asks before unsaved work is left, and leads to what is wrong after a refused save.
 *
 * A form is unsaved if it would post something else than when its page was loaded, including rows and the week grid.
 */
(() => {
    "use strict";

    // Of a page's own form, of its note and of dialogues: what is entered in them is lost with the page.
    const FORMS = ".change-form form[method=post][id$=_form], form#correction_form, form#import_form, form#upload_form, form#bulk_form";

    const NOTE = "note_text";

    // What each form would have posted when the page was loaded, by its id: a refresh may replace the form.
    const loaded = new Map();
    let submitted = "";

    function forms() {
        return [...document.querySelectorAll(FORMS)];
    }

    /* The form of the page itself, above the one for a note. */
    function ownForm() {
        return forms().find((form) => form.id !== "note_form");
    }

    function entries(form) {
        const data = [...new FormData(form).entries()].filter(([name]) => !["csrfmiddlewaretoken", NOTE].includes(name));
        return JSON.stringify(data.map(([name, value]) => [name, value instanceof File ? [value.name, value.size] : value]));
    }

    function isUnsaved() {
        return forms().some((form) => !isSubmitted(form) && (entries(form) !== loaded.get(form.id) || isRefused(form)));
    }

    function isSubmitted(form) {
        const takesNoteAlong = form.id === "note_form" && submitted === ownForm()?.id;
        return form.id === submitted || takesNoteAlong;
    }

    /* A form that is shown again with errors holds what the person entered, and nothing of it is saved. */
    function isRefused(form) {
        return form.querySelector(".campaigns-wrong, [aria-invalid=true]:not([type=file])") !== null;
    }

    /* Save takes along a note that is written and not added yet. */
    function takeNoteAlong(event) {
        const note = document.getElementById(NOTE)?.value.trim();
        if (note && event.target === ownForm()) {
            event.formData.set(NOTE, note);
        }
    }

    /* Add a note without leaving the page while its own form is unsaved, so that both stay, as with Save. */
    async function addNoteBeside(event) {
        const form = event.target, own = ownForm();
        const isBeside = form.id === "note_form" && own && (entries(own) !== loaded.get(own.id) || isRefused(own));
        if (!isBeside || event.defaultPrevented) {
            return;
        }
        event.preventDefault();
        const button = form.querySelector("button");
        button.disabled = true;
        const added = await addNote(form).catch(() => null); // the server is away: the note stays where it is written
        button.disabled = false;
        if (added === null) {
            form.querySelector("[role=status]").textContent = "The note was not added. Try again, or save the form with it.";
            return;
        }
        document.getElementById("notes").replaceWith(added);
        loaded.set("note_form", entries(document.getElementById("note_form")));
        document.dispatchEvent(new CustomEvent("campaigns:refreshed"));
        document.getElementById(NOTE).focus();
        added.querySelector("[role=status]").textContent = "Added the note. Your other changes aren’t saved yet.";
    }

    /* Return the notes with the added one; null if the session or the permission has ended. */
    async function addNote(form) {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
        const notes = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("notes");
        return answer.ok && notes ? document.adoptNode(notes) : null;
    }

    function ask(event) {
        if (isUnsaved()) {
            event.preventDefault();
        }
    }

    /* Return what gets the focus for a field: the box of an autocomplete, the first checkbox of a group, or its input. */
    function inputOf(id) {
        const field = document.getElementById(id);
        if (field?.classList.contains("select2-hidden-accessible")) {
            return field.nextElementSibling?.querySelector(".select2-selection") ?? field;
        }
        return field?.matches("input, select, textarea") ? field : field?.querySelector("input") ?? field;
    }

    function goTo(id) {
        const input = inputOf(id);
        input?.closest("details")?.setAttribute("open", "");
        input?.scrollIntoView({ block: "center" });
        return input;
    }

    /* The summary stays in sight above the first wrong field: it sticks to the top. */
    function showErrors() {
        const summary = document.querySelector(".campaigns-wrong");
        if (!summary) {
            return;
        }
        summary.focus({ preventScroll: true });
        const first = summary.querySelector("a[href^='#']");
        if (first) {
            goTo(first.hash.slice(1));
        } else {
            summary.scrollIntoView({ block: "center" });
        }
        summary.addEventListener("click", (event) => {
            const link = event.target.closest("a[href^='#']");
            if (link) {
                event.preventDefault();
                goTo(link.hash.slice(1))?.focus({ preventScroll: true });
            }
        });
    }

    window.campaignsUnsaved = isUnsaved;
    window.addEventListener("load", () => {
        for (const form of forms()) {
            loaded.set(form.id, entries(form));
        }
        if (loaded.size > 0) {
            document.addEventListener("submit", addNoteBeside);
            document.addEventListener("submit", (event) => { submitted = event.defaultPrevented ? "" : event.target.id; });
            document.addEventListener("formdata", takeNoteAlong);
            window.addEventListener("beforeunload", ask);
        }
        showErrors();
    });
    // A page that comes back from the browser's cache has been submitted, but not left for good.
    window.addEventListener("pageshow", (event) => { submitted = event.persisted ? "" : submitted; });
})();
