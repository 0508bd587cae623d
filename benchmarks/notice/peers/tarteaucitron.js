tarteaucitron.init({
  privacyUrl: '/privacy',
  bodyPosition: 'bottom',
  orientation: 'bottom',
  useExternalCss: false,
  useExternalJs: false,
});
tarteaucitron.services.statistics = {
  key: 'statistics',
  type: 'analytic',
  name: 'Statistics',
  needConsent: true,
  cookies: ['_visits'],
  js: function () {},
};
tarteaucitron.services.videos = {
  key: 'videos',
  type: 'video',
  name: 'Videos',
  needConsent: true,
  cookies: ['_player'],
  js: function () {},
};
tarteaucitron.services.advertising = {
  key: 'advertising',
  type: 'ads',
  name: 'Advertising',
  needConsent: true,
  cookies: ['_ads'],
  js: function () {},
};
tarteaucitron.job = ['statistics', 'videos', 'advertising'];
