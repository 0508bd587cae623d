CookieConsent.run({
  categories: {
    necessary: { enabled: true, readOnly: true },
    statistics: { autoClear: { cookies: [{ name: '_visits' }] } },
    videos: { autoClear: { cookies: [{ name: '_player' }] } },
    advertising: { autoClear: { cookies: [{ name: '_ads' }] } },
  },
  language: {
    default: 'en',
    translations: {
      en: {
        consentModal: {
          title: 'We use cookies',
          description: 'We ask your permission for statistics, videos and advertising.',
          acceptAllBtn: 'Accept all',
          acceptNecessaryBtn: 'Reject all',
          showPreferencesBtn: 'Manage individual preferences',
        },
        preferencesModal: {
          title: 'Manage cookie preferences',
          acceptAllBtn: 'Accept all',
          acceptNecessaryBtn: 'Reject all',
          savePreferencesBtn: 'Accept current selection',
          closeIconLabel: 'Close modal',
          sections: [
            {
              title: 'Strictly necessary',
              description: 'These make the site work and cannot be disabled.',
              linkedCategory: 'necessary',
            },
            {
              title: 'Statistics',
              description: 'Counts visits, so that we see which pages are read.',
              linkedCategory: 'statistics',
            },
            {
              title: 'Videos',
              description: 'Shows videos of another site in our pages.',
              linkedCategory: 'videos',
            },
            {
              title: 'Advertising',
              description: 'Shows advertisements and counts how often.',
              linkedCategory: 'advertising',
            },
          ],
        },
      },
    },
  },
});
