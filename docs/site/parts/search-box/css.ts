import { css } from 'lit'

export const style = css`
  search-box input { width: 220px; max-width: 100%; }
  search-box .found { position: absolute; right: 0; top: calc(100% + 4px); width: min(460px, 92vw); max-height: 75vh; overflow: auto; overscroll-behavior: contain; margin: 0; padding: 6px; box-shadow: 0 8px 24px #0004; z-index: 25; }
  search-box .kind { display: block; padding: 8px 8px 2px; font-size: 0.78rem; font-weight: 600; text-transform: uppercase; letter-spacing: 0.04em; color: var(--muted); }
  search-box [role='option'] { display: block; padding: 6px 8px; border-radius: 6px; color: var(--ink); text-decoration: none; overflow-wrap: anywhere; line-height: 1.35; }
  search-box [role='option'][aria-selected='true'] { background: var(--code); outline: 2px solid var(--accent); outline-offset: -2px; }
  search-box [role='option']:hover { background: var(--code); }
  search-box small { display: block; color: var(--muted); }
  search-box .found > p { margin: 6px 8px; }
  search-box .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  @media (max-width: 760px) {
    search-box { flex: 1; }
    search-box input { width: 100%; }
    search-box .found { position: fixed; left: 8px; right: 8px; top: 56px; width: auto; max-height: calc(100dvh - 70px); }
  }
`
