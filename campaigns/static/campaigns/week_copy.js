/* Copying the schedule of another campaign, which the server finds by a part of its name. */

import { minuteOf } from "./week_minutes.js";
import { element } from "./week_table.js";

const PAUSE_MILLISECONDS = 200;

/* Return the campaigns that the server finds; null if it can't be reached, or asks to sign in. */
async function ask(address) {
    try {
        const response = await fetch(address, { headers: { Accept: "application/json" } });
        return response.ok ? (await response.json()).campaigns : null;
    } catch {
        return null;
    }
}

/* Let a person choose a campaign by typing; call copy(name, rows) with its windows, and refuse(text) with an error, or "". */
export function offerCopies(input, button, { copy, refuse }) {
    const list = document.getElementById(input.getAttribute("list"));
    let found = new Map();
    let timer = null;
    let asked = 0;

    async function search() {
        const number = ++asked;
        const campaigns = await ask(`${input.dataset.url}&q=${encodeURIComponent(input.value)}`);
        if (number !== asked) {
            return true;
        }
        if (campaigns === null) {
            refuse("Couldn’t load campaigns. Try again, or sign in again in another tab.");
            return false;
        }
        refuse("");
        found = new Map(campaigns.map((campaign) => [campaign.name, campaign.windows]));
        list.replaceChildren(...campaigns.map(({ name, words }) => element("option", { value: name, label: `${name}: ${words}` })));
        return true;
    }

    async function take() {
        clearTimeout(timer);
        if (!found.has(input.value) && !(await search())) {
            return;
        }
        // A part of a name is enough where only one campaign has it.
        const name = found.has(input.value) ? input.value : found.size === 1 ? [...found.keys()][0] : null;
        if (!input.value.trim() || name === null) {
            refuse(found.size ? "Several campaigns match. Choose one." : "No other campaign has that name.");
            return;
        }
        input.value = name;
        refuse("");
        copy(name, found.get(name).map(([days, start, end]) => ({ days, start: minuteOf(start), end: minuteOf(end) })));
    }

    input.addEventListener("focus", search, { once: true });
    input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(search, PAUSE_MILLISECONDS);
    });
    input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
            event.preventDefault();
            take();
        }
    });
    button.addEventListener("click", take);
}
