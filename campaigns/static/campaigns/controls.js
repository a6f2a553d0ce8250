/* Names and keys for what the theme draws as bare icons: screen readers skip the icons, and what can be clicked can be
   reached and pressed by keyboard. */
(() => {
    "use strict";

    const ICON = ".material-symbols-outlined";
    const CLICK = "x-on:click";
    const NATIVE = "a[href], button, input, select, textarea, summary, label";
    /* By the name of their icon, in this order: controls that have neither text nor title. */
    const NAMES = {
        unfold_more: "Your account",
        filter_list: "Filters",
        more_vert: "More about the choice",
        more_horiz: "More",
        search: "Search",
        calendar_today: "Choose a date",
        schedule: "Choose a time",
        close: "Close",
        visibility: "Show the password",
        light_mode: "Colour theme",
        dark_mode: "Colour theme",
        computer: "Colour theme",
        check_small: "Yes",
        close_small: "No",
        question_mark: "Unknown",
    };

    /* Return the text that is read out for an element: without its icons. */
    function spoken(element) {
        const copy = element.cloneNode(true);
        copy.querySelectorAll(ICON).forEach((icon) => icon.remove());
        return copy.textContent.trim();
    }

    function nameByIcon(element) {
        const own = element.matches(ICON) ? element : element.querySelector(ICON);
        const name = own && NAMES[own.textContent.trim()];
        const isNamed = element.hasAttribute("aria-label") || element.title || (element !== own && spoken(element));
        if (name && !isNamed) {
            element.setAttribute("aria-label", name);
        }
    }

    /* Make a button of an element that the theme only lets be clicked. */
    function makeButton(element) {
        const isBare = !element.matches(ICON) && !element.querySelector(ICON) && !spoken(element);
        if (isBare || element.matches(NATIVE) || element.hasAttribute("role") || element.querySelector(NATIVE)) {
            return;
        }
        element.setAttribute("role", "button");
        element.tabIndex = 0;
        nameByIcon(element);
        element.addEventListener("keydown", (event) => {
            if (event.target === element && (event.key === "Enter" || event.key === " ")) {
                event.preventDefault();
                element.click();
            }
        });
    }

    /* A tick or a cross in a list: its title says True or False. */
    function nameTick(icon) {
        const box = icon.parentElement;
        const name = NAMES[icon.textContent.trim()];
        if (box?.matches("div[title]") && ["Yes", "No", "Unknown"].includes(name) && !box.hasAttribute("role")) {
            box.setAttribute("role", "img");
            box.setAttribute("aria-label", name);
            box.title = name;
        }
    }

    /* The links beside a date or time, in which styles draw an icon: their title alone gives them no name. */
    function nameShortcut(icon) {
        icon.closest("a")?.setAttribute("aria-label", icon.matches(".date-icon") ? "Choose a date" : "Choose a time");
    }

    function nameAll() {
        document.querySelectorAll(".date-icon, .clock-icon").forEach(nameShortcut);
        document.querySelectorAll(`${ICON}:not([aria-hidden])`).forEach((icon) => {
            nameTick(icon);
            if (!icon.hasAttribute(CLICK)) {
                icon.setAttribute("aria-hidden", "true");
            }
        });
        document.querySelectorAll("[x-on\\:click]").forEach(makeButton);
        document.querySelectorAll("a[href], button, [role='button']").forEach(nameByIcon);
        document.querySelectorAll(".selector button:not([aria-label])").forEach((button) => {
            button.setAttribute("aria-label", button.textContent.trim());
        });
        /* The picture beside the product's name leads where the name leads. */
        document.querySelectorAll("#nav-sidebar-inner a.bg-primary-600").forEach((link) => {
            link.setAttribute("aria-hidden", "true");
            link.tabIndex = -1;
        });
        document.querySelectorAll("#nav-sidebar-apps a.active").forEach((link) => {
            link.setAttribute("aria-current", "page");
        });
    }

    let waiting = 0;
    new MutationObserver(() => {
        waiting ||= requestAnimationFrame(() => {
            waiting = 0;
            nameAll();
        });
    }).observe(document.documentElement, { childList: true, subtree: true });
})();
