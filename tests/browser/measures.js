/**
 * What a page looks like to a person, in numbers: for tests/browser/test_accessibility.py and
 * tests/browser/test_languages.py, which put it into every document.
 *
 * It has never heard of a policy. It looks at what stands inside `.consentkit`, and changes nothing.
 */

window.measure = (() => {
  // Colours, read off a canvas: a computed one may be written in any colour space.

  let pen
  const rgba = colour => {
    pen ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext(
      "2d",
      { willReadFrequently: true },
    )
    pen.clearRect(0, 0, 1, 1)
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }
  const over = (top, below) => [
    ...[0, 1, 2].map(part => top[part] * top[3] + below[part] * (1 - top[3])),
    1,
  ]
  const ground = one => {
    if (!one) throw new Error("nothing opaque is below")
    const own = rgba(getComputedStyle(one).backgroundColor)
    return own[3] == 1 ? own : over(own, ground(one.parentElement))
  }
  const luminance = colour => {
    const [red, green, blue] = colour
      .map(part => part / 255)
      .map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  /** The contrast of WCAG 2.2, from 1 to 21. */
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
    return (light + 0.05) / (dark + 0.05)
  }
  const textContrast = one => {
    const style = getComputedStyle(one)
    const size = pixels(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
    const below = ground(one)
    return { ratio: ratio(over(rgba(style.color), below), below), least: isLarge ? 3 : 4.5 }
  }

  // What there is

  const pixels = text => parseFloat(text) || 0
  const name = one => {
    const words = one.textContent.trim() || one.value || ""
    return `${one.localName}${one.className && "." + one.className} “${words.slice(0, 24)}”`
  }
  const isShown = one =>
    one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    one.getClientRects().length > 0
  const every = selector =>
    [...document.querySelectorAll(`.consentkit :is(${selector})`)].filter(isShown)
  const ours = () => [...[...document.querySelectorAll(".consentkit")].filter(isShown), ...every("*")]
  const texts = one =>
    [...one.childNodes].filter(node => node.nodeType == Node.TEXT_NODE && node.data.trim())
  /** Words that a style sheet puts before or after an element's own. */
  const written = one =>
    ["::before", "::after"]
      .map(part => getComputedStyle(one, part))
      .filter(style => style.position == "static" && /^".+"/.test(style.content))

  /** The boxes around an element that scroll or cut what is in them. */
  const frames = one => {
    const found = []
    for (let at = one; at && at != document.body; at = at.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(at)
      if (overflowX != "visible" || overflowY != "visible") found.push(at.getBoundingClientRect())
    }
    return found
  }
  /** What remains of a rectangle within such boxes. */
  const inSight = ({ left, top, right, bottom }, boxes) => ({
    left: Math.max(left, ...boxes.map(box => box.left)),
    top: Math.max(top, ...boxes.map(box => box.top)),
    right: Math.min(right, ...boxes.map(box => box.right)),
    bottom: Math.min(bottom, ...boxes.map(box => box.bottom)),
  })

  // axe, and what it leaves open

  const inFrames = path =>
    path.reduce((root, selector, at) => {
      const one = root.querySelector(selector)
      return at < path.length - 1 ? one.contentDocument : one
    }, document)
  const hasHeadersForAll = table => {
    const columns = table.tHead.rows[0].cells.length
    return [...table.tBodies].every(({ rows: [title, ...rows] }) => {
      const isOne = title.cells.length == 1 && title.cells[0].colSpan == columns
      return isOne && rows.length > 0 && rows.every(row => row.cells.length == columns)
    })
  }
  const decide = {
    "color-contrast": one => {
      const { ratio, least } = textContrast(one)
      return ratio >= least
    },
    "th-has-data-cells": hasHeadersForAll,
  }
  /** The faults of a whole page; what axe leaves open is decided by hand, or else is a fault. */
  const axeFinds = async tags => {
    const found = await axe.run(document, {
      runOnly: { type: "tag", values: tags },
      resultTypes: ["violations", "incomplete", "passes"],
    })
    const told = (rules, before = "") =>
      rules.flatMap(({ id, nodes }) =>
        nodes.map(node => `${before}${id}: ${node.target.flat().join(" ")}`),
      )
    const open = found.incomplete.map(({ id, nodes }) => ({
      id,
      nodes: nodes.filter(node => !decide[id]?.(inFrames(node.target.flat()))),
    }))
    return {
      faults: [...told(found.violations), ...told(open, "left open: ")],
      looked: found.passes.length,
    }
  }

  // What a person cannot get at

  /** What stays while the rest of its box scrolls lies over the rest on purpose. */
  const layerOf = one =>
    one.closest("dialog > .consentkit-head, dialog .consentkit-actions, dialog, .consentkit-banner")
  const lieOver = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1.5 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3
  /** The lines of words, and the fields, that a person sees: where they are, and in what layer. */
  const linesOf = one => {
    const boxes = frames(one)
    const layer = layerOf(one)
    const range = new Range()
    return (one.matches("input") ? [one] : texts(one)).flatMap(part => {
      range.selectNode(part)
      return [...range.getClientRects()].map(line => ({
        one,
        part,
        layer,
        ...inSight(line, boxes),
      }))
    })
  }
  const overlaps = lines => {
    const found = []
    const sorted = lines
      .filter(line => line.bottom > line.top && line.right > line.left)
      .sort((line, other) => line.top - other.top)
    for (const [at, line] of sorted.entries())
      for (let next = at + 1; next < sorted.length && sorted[next].top < line.bottom; next++) {
        const other = sorted[next]
        if (line.part != other.part && line.layer == other.layer && lieOver(line, other))
          found.push(`${name(line.one)} lies over ${name(other.one)}`)
      }
    return found
  }
  const tooSmall = one => {
    const { overflowY } = getComputedStyle(one)
    const isCut = one.clientHeight && one.scrollHeight > one.clientHeight + 1
    // A box that neither has words of its own nor scrolls may have room on its outer side.
    const isFilled = texts(one).length || /auto|scroll/.test(overflowY)
    return [
      isFilled && one.clientWidth && one.scrollWidth > one.clientWidth + 1 && "is too narrow",
      isCut && (one.localName == "button" || /hidden|clip/.test(overflowY)) && "is too low",
    ].filter(Boolean)
  }
  /** What sticks out of the window or of its own box, is cut, or lies over other words. */
  const lost = () => {
    const page = document.documentElement
    const found = page.scrollWidth > page.clientWidth ? ["the page scrolls sideways"] : []
    const all = ours()
    const lines = all.flatMap(linesOf)
    for (const one of all) {
      const box = one.getBoundingClientRect()
      if (box.width && (box.left < -0.5 || box.right > page.clientWidth + 0.5))
        found.push(`${name(one)} sticks out of the window`)
      found.push(...tooSmall(one).map(fault => `${name(one)} ${fault}`))
    }
    return { found: [...new Set([...found, ...overlaps(lines)])], looked: lines.length }
  }

  // What a person sees

  const MAIN = "button, .consentkit-more, summary, [type=search], .consentkit-head:has([role=switch])"
  /** How large the main controls are; a switch is pressed in its whole row. */
  const sizes = () =>
    every(MAIN).map(one => {
      const { width, height } = one.getBoundingClientRect()
      return { name: name(one), width, height }
    })

  /** The contrast of all words, and of what shows where a control is and how it stands. */
  const contrasts = () => ({
    words: ours()
      .filter(one => texts(one).length || written(one).length)
      .map(one => ({ name: name(one), ...textContrast(one) })),
    // In a quiet line the buttons look like the links beside them.
    edges: every("button, input:not([type=hidden])")
      .filter(one => !one.closest(".consentkit-line"))
      .map(one => {
        const { borderTopColor, borderTopWidth } = getComputedStyle(one)
        const around = ground(one.parentElement)
        const edge = over(rgba(borderTopColor), around)
        return { name: name(one), width: pixels(borderTopWidth), ratio: ratio(edge, around) }
      }),
    knobs: every("[role=switch]").map(one => {
      const knob = rgba(getComputedStyle(one, "::before").backgroundColor)
      return { name: name(one), isOn: one.checked, ratio: ratio(knob, ground(one)) }
    }),
  })

  /** What moves by itself, or on its way from one state to another. */
  const moves = () =>
    ours().flatMap(one =>
      ["", "::before", "::after"]
        .map(part => [name(one) + part, getComputedStyle(one, part || null)])
        .filter(
          ([, style]) =>
            style.animationName != "none" ||
            style.scrollBehavior == "smooth" ||
            style.transitionDuration.split(", ").some(pixels),
        )
        .map(([which]) => which),
    )

  const spots = line =>
    [0.05, 0.5, 0.95].flatMap(x =>
      [0.1, 0.5, 0.9].map(y =>
        document.elementFromPoint(line.left + line.width * x, line.top + line.height * y),
      ),
    )
  /** The ring around what has the focus: how wide and how clear it is, and which sides are cut. */
  const ring = () => {
    const one = document.activeElement
    const style = getComputedStyle(one)
    const reach = pixels(style.outlineWidth) + pixels(style.outlineOffset)
    const around = ground(pixels(style.outlineOffset) < 0 ? one : one.parentElement)
    const boxes = frames(one.parentElement)
    const lines = [...one.getClientRects()]
    const cut = lines.flatMap(({ left, top, right, bottom }) => {
      const whole = {
        left: left - reach,
        top: top - reach,
        right: right + reach,
        bottom: bottom + reach,
      }
      const part = inSight(whole, boxes)
      return Object.keys(whole).filter(
        side => Math.abs(part[side] - whole[side]) > Math.max(0, pixels(style.outlineOffset)),
      )
    })
    return {
      name: name(one),
      isOurs: Boolean(one.closest(".consentkit")),
      isSeen: lines.some(line => spots(line).some(top => top && one.contains(top))),
      isSolid: style.outlineStyle == "solid",
      width: pixels(style.outlineWidth),
      ratio: ratio(over(rgba(style.outlineColor), around), around),
      cut,
    }
  }

  /** Links that only their colour tells from the words around them. */
  const plainLinks = () =>
    every("a")
      .filter(one => !getComputedStyle(one).textDecorationLine.includes("underline"))
      .map(name)

  /** The elements of ours that have words, on the screen or on paper. */
  const worded = () =>
    ours()
      .filter(one => texts(one).length)
      .map(one => one.localName)

  /** Each switch, with the word beside it, which a style sheet puts there. */
  const switches = () =>
    every("[role=switch]").map(one => ({
      isOn: one.checked,
      says: JSON.parse(getComputedStyle(one.nextElementSibling, "::before").content),
      knob: getComputedStyle(one, "::before").insetInlineStart,
    }))

  /** Spaces between lines, letters, words and paragraphs, as WCAG 1.4.12 has them. */
  const setSpacing = isSet => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(
      "* { line-height: 1.5 !important; letter-spacing: .12em !important;" +
        " word-spacing: .16em !important } p { margin-block-end: 2em !important }",
    )
    document.adoptedStyleSheets = isSet ? [sheet] : []
  }

  return {
    axeFinds,
    contrasts,
    lost,
    moves,
    plainLinks,
    ring,
    setSpacing,
    sizes,
    switches,
    textContrast,
    worded,
  }
})()
