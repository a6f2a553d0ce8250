/* The chart of a campaign's day: spend so far against the daily spend limit, with pauses shaded. Unfold brings Chart.js. */

const FONT = { family: "Inter", size: 12 };

/* Return the colours of the current theme, from campaign.css. */
function colours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--campaigns-day-${name}`).trim();
    return { spend: colour("spend"), area: colour("area"), limit: colour("limit"), paused: colour("paused"), line: colour("line"), text: colour("text") };
}

/* Return an amount with at least the decimals of its currency. */
function digits(day, amount) {
    return amount.toLocaleString("en", { minimumFractionDigits: day.decimals, maximumFractionDigits: 6 });
}

/* Shade each pause, and mark the present. */
function background(day) {
    return {
        id: "campaignsDay",
        beforeDatasetsDraw({ ctx, chartArea: { top, bottom }, scales: { x } }) {
            const { paused, text } = colours();
            ctx.save();
            ctx.fillStyle = paused;
            for (const [from, until] of day.pauses) {
                const left = x.getPixelForValue(from);
                ctx.fillRect(left, top, Math.max(1, x.getPixelForValue(until) - left), bottom - top);
            }
            ctx.strokeStyle = text;
            ctx.setLineDash([2, 3]);
            ctx.beginPath();
            ctx.moveTo(x.getPixelForValue(day.now), top);
            ctx.lineTo(x.getPixelForValue(day.now), bottom);
            ctx.stroke();
            ctx.restore();
        },
    };
}

function datasets(day) {
    const { spend, area, limit } = colours();
    const points = day.points.map(([x, y, clock]) => ({ x, y, clock }));
    const curve = { label: "Spend so far", data: points, borderColor: spend, backgroundColor: area, fill: "origin", borderWidth: 2, pointRadius: 0, pointHitRadius: 8 };
    if (day.limit === null) {
        return [curve];
    }
    const line = [0, day.end].map((x) => ({ x, y: day.limit }));
    return [curve, { label: "Daily spend limit", data: line, borderColor: limit, borderDash: [6, 4], borderWidth: 2, pointRadius: 0, pointHitRadius: 0 }];
}

function axes(day) {
    const { line, text } = colours();
    const clocks = new Map(day.ticks);
    const ticks = { color: text, font: FONT };
    return {
        x: {
            type: "linear", min: 0, max: day.end, grid: { color: line },
            afterBuildTicks: (axis) => { axis.ticks = day.ticks.map(([value]) => ({ value })); },
            ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12, callback: (minute) => clocks.get(minute) ?? "" },
        },
        y: { beginAtZero: true, suggestedMax: 10, grace: "5%", grid: { color: line }, ticks: { ...ticks, maxTicksLimit: 6, callback: (amount) => digits(day, amount) } },
    };
}

function tooltip(day) {
    const money = (amount) => `${digits(day, amount)} ${day.currency}`;
    return {
        displayColors: false,
        filter: (item) => item.datasetIndex === 0,
        callbacks: { title: (items) => (items.length ? items[0].raw.clock : ""), label: (item) => `${money(item.raw.y)} spent` },
    };
}

function draw(canvas) {
    const day = JSON.parse(canvas.dataset.day);
    return new Chart(canvas, {
        type: "line",
        data: { datasets: datasets(day) },
        options: {
            animation: false,
            maintainAspectRatio: false,
            interaction: { mode: "nearest", axis: "x", intersect: false },
            plugins: { legend: { display: false }, tooltip: tooltip(day) },
            scales: axes(day),
        },
        plugins: [background(day)],
    });
}

for (const canvas of document.querySelectorAll("canvas[data-day]")) {
    let chart = draw(canvas);
    const redraw = () => {
        chart.destroy();
        chart = draw(canvas);
    };
    // The theme may be changed at any time, by a button or by the system.
    new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    // refresh.js writes newer figures.
    new MutationObserver(redraw).observe(canvas, { attributes: true, attributeFilter: ["data-day"] });
    // A canvas doesn't load a font that it draws with, and doesn't draw again when it comes.
    document.fonts.load(`${FONT.size}px ${FONT.family}`).then(redraw, () => undefined);
}
