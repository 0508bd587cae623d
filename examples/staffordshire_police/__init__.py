"""The site of Staffordshire Police, rebuilt from its own cookie page: consent is implied."""
